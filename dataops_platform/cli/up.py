"""Start Dagster and MLflow for this project on 127.0.0.1; Ctrl-C stops them.

Example: dataops up
"""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from dataops_platform.cli.options import ProjectFolder
from dataops_platform.cli.output import console, reports_errors
from dataops_platform.settings.project import load_project


@reports_errors
def up(
    port: Annotated[int, typer.Option(help="Dagster's port.", min=1, max=65535)] = 3000,
    mlflow_port: Annotated[int, typer.Option(help="MLflow's port.", min=1, max=65535)] = 5000,
    project: ProjectFolder = Path(),
) -> None:
    """Start Dagster (web server and daemon) and MLflow, and print their addresses once they answer."""
    from dataops_platform.orchestration.servers import Running, running, servers_of, watch
    from dataops_platform.technologies.mlflow.tracking import open_tracking

    found = load_project(project)
    out = console()
    servers = servers_of(found, port, mlflow_port)
    if any(server.name == "mlflow" for server in servers):
        open_tracking(found)  # made once, under a lock: MLflow's own workers would make it at the same time
    names = ", ".join(server.name for server in servers)
    logs = found.state_dir / "logs"
    out.print(f"starting {names}: half a minute, or more on a busy machine; they write to {logs} …", markup=False)

    def answers(one: Running) -> None:
        out.print(f"  {one.server.name:<8} {one.server.address}", markup=False)

    # Set here, too: a shell starts background processes with Ctrl-C ignored, and Python keeps it so.
    before = {number: signal.signal(number, _as_ctrl_c) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with running(found, servers, answers) as started:
            out.print("ready; Ctrl-C stops them", markup=False)
            watch(started)
    except KeyboardInterrupt:
        out.print("stopped", markup=False)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
