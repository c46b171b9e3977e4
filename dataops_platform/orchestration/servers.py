"""Dagster's and MLflow's servers for a project on this machine: started, watched, and stopped together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from dataops_platform.kit.errors import SystemFailed, UsedWrongly
from dataops_platform.orchestration.instance import instance_home
from dataops_platform.settings.environ import variables_with
from dataops_platform.settings.project import Project

HOST = "127.0.0.1"
READY_S = 180
"""Seconds that servers may take to answer."""
STOP_S = 15
"""Seconds that servers may take to stop before they are killed."""


@dataclass(frozen=True)
class Server:
    """A program that runs until it is stopped. It is ready when `health` answers; one without a port has no address."""

    name: str
    command: tuple[str, ...]
    port: int | None = None
    health: str = ""

    @property
    def address(self) -> str:
        """The address at which it listens; empty without a port."""
        return f"http://{HOST}:{self.port}" if self.port else ""


@dataclass(frozen=True)
class Running:
    """A server's process, and the file it writes its output to."""

    server: Server
    process: subprocess.Popen[bytes]
    log: Path


def workspace(project: Project) -> Path:
    """Write the file that names a code location for each environment of the project. Return its path."""
    locations = [
        {
            "python_module": {
                "module_name": "dataops_platform.locations",
                "attribute": name,
                "working_directory": str(project.home.resolve()),
                "location_name": f"{project.name}_{name}",
            }
        }
        for name in project.settings.environments
    ]
    path = project.state_dir / "workspace.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"load_from": locations}, sort_keys=False))
    return path


def servers_of(project: Project, port: int, mlflow_port: int) -> list[Server]:
    """Return Dagster's server, and MLflow's where the project keeps it in a file. They listen on this machine only.

    `dagster dev` starts the web server and the daemon with one code server for each location. If they are started
    apart, each has code servers of its own, and the daemon restarts its own every minute.
    """
    dagster = ("dev", "--host", HOST, "--port", str(port), "--workspace", str(workspace(project)))
    found = [Server("dagster", (*_module("dagster"), *dagster), port, "/server_info")]
    kind, _, path = project.settings.mlflow.tracking.partition(":")
    if kind == "sqlite":
        store = f"sqlite:///{(project.home / path).resolve()}"
        artifacts = (project.home / project.settings.mlflow.artifacts).resolve().as_uri()
        arguments = ("--host", HOST, "--port", str(mlflow_port), "--workers", "1", "--backend-store-uri", store)
        command = (*_module("mlflow"), "server", *arguments, "--default-artifact-root", artifacts)
        found.append(Server("mlflow", command, mlflow_port, "/health"))
    return found


def _module(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name)


@contextmanager
def running(
    project: Project, servers: Sequence[Server], ready: Callable[[Running], None] = lambda _: None
) -> Iterator[list[Running]]:
    """Start the servers and yield them once all are ready. Stop all of them at the end, whatever happens.

    `ready` is called with each server when it answers.
    Raises: UsedWrongly DP-R020 for a port that is taken; SystemFailed DP-R021 for a server that ends, DP-R023 for one
    that does not answer in time.
    """
    for server in servers:
        if server.port and _is_taken(server.port):
            raise UsedWrongly("DP-R020", port=server.port, host=HOST, server=server.name)
    dagster = next((server.address for server in servers if server.name == "dagster"), "")
    variables = variables_with(
        DAGSTER_HOME=str(instance_home(project)),
        DATAOPS_DAGSTER_URL=dagster,
        MLFLOW_DISABLE_TELEMETRY="true",
        PYTHONUNBUFFERED="1",
    )
    logs = project.state_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    started: list[Running] = []
    try:
        for server in servers:
            started.append(_start(server, project, logs / f"{server.name}.log", variables))  # noqa: PERF401 so that each is stopped
        _wait_until_ready(started, ready)
        yield started
    finally:
        _stop(started)


def watch(started: Sequence[Running]) -> None:
    """Wait until a server ends. Raises: SystemFailed DP-R021 then."""
    while True:
        _refuse_ended(started)
        time.sleep(0.5)


def _start(server: Server, project: Project, log: Path, variables: dict[str, str]) -> Running:
    with log.open("wb") as output:
        process = subprocess.Popen(
            server.command,
            cwd=project.home,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Running(server, process, log)


def _wait_until_ready(started: Sequence[Running], ready: Callable[[Running], None]) -> None:
    waiting = [one for one in started if one.server.address]
    until = time.monotonic() + READY_S
    while waiting:
        _refuse_ended(started)
        for one in [one for one in waiting if _answers(one.server)]:
            waiting.remove(one)
            ready(one)
        if waiting and time.monotonic() > until:
            one = waiting[0]
            raise SystemFailed(
                "DP-R023", server=one.server.name, seconds=READY_S, last=_last_line(one.log), log=one.log
            )
        time.sleep(0.2)


def _answers(server: Server) -> bool:
    try:
        with urllib.request.urlopen(server.address + server.health, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def _refuse_ended(started: Sequence[Running]) -> None:
    for one in started:
        if one.process.poll() is not None:
            raise SystemFailed(
                "DP-R021",
                server=one.server.name,
                status=one.process.returncode,
                last=_last_line(one.log),
                log=one.log,
            )


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "its log is empty"


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _stop(started: Sequence[Running]) -> None:
    """Stop each server as Ctrl-C does. Kill the rest after `STOP_S`, or at a second Ctrl-C."""
    try:
        for one in started:
            with suppress(ProcessLookupError):
                os.kill(one.process.pid, signal.SIGINT)
        until = time.monotonic() + STOP_S
        for one in started:
            with suppress(subprocess.TimeoutExpired):
                one.process.wait(max(until - time.monotonic(), 0.1))
    finally:
        for one in started:
            with suppress(ProcessLookupError):
                os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()
