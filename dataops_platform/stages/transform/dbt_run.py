"""dbt, run inside this process, so that it dies with the step."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.errors import SystemFailed, UsedWrongly
from dataops_platform.kit.faults import fault_point
from dataops_platform.stages.transform.profile import DbtPaths

_QUIETLY = ("--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats")
_LOG = "file_log"
_GOOD = frozenset({"success", "pass", "warn", "no-op"})


@dataclass(frozen=True)
class NodeResult:
    """The result of one model or test."""

    unique_id: str
    name: str
    kind: str
    status: str
    message: str
    failing_rows: int
    attached_to: str
    compiled_path: str

    @property
    def is_good(self) -> bool:
        """Whether the run may go on; a warning does not stop it."""
        return self.status in _GOOD


def run_dbt(paths: DbtPaths, say: Callable[[str], None]) -> list[NodeResult]:
    """Build all models and run their tests, in dependency order. `say` receives a line for each model that was built.

    Raises: SystemFailed DP-D005 when dbt could not run at all.
    """
    from dbt.cli.main import dbtRunner

    def listen(event: Any) -> None:
        if event.info.name in ("LogModelResult", "LogSeedResult", "LogSnapshotResult"):
            say(f"{event.data.node_info.node_name} {event.data.execution_time:.1f} s")
            fault_point("transform.during_dbt")

    printed = io.StringIO()
    with _all_given_back(), redirect_stdout(printed):
        done = dbtRunner(callbacks=[listen]).invoke([*_QUIETLY, "--no-write-json", "build", *paths.arguments])
    if done.exception is not None or not hasattr(done.result, "results"):
        text = str(done.exception or printed.getvalue()).strip()
        raise SystemFailed("DP-D005", reason=text[:600]) from done.exception
    return [_node_result(result) for result in done.result.results]


def parse_dbt(paths: DbtPaths) -> None:
    """Have dbt write its manifest, in a process of its own unless dbt is loaded already: it would stay in memory.

    Raises: UsedWrongly DP-D002 when the project does not parse.
    """
    parse = _parse_here if "dbt.cli.main" in sys.modules else _parse_apart
    message = parse([*_QUIETLY, "parse", *paths.arguments])
    if message is not None:
        raise UsedWrongly("DP-D002", folder=paths.folder.name, reason=" ".join(message.split())[:700])


def _parse_here(arguments: list[str]) -> str | None:
    from dbt.cli.main import dbtRunner

    printed = io.StringIO()
    with _all_given_back(), redirect_stdout(printed):
        done = dbtRunner().invoke(arguments)
    return None if done.success else f"{printed.getvalue()} {done.exception or ''}"


def _parse_apart(arguments: list[str]) -> str | None:
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else None


def _node_result(result: Any) -> NodeResult:
    node = result.node
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        kind=str(node.resource_type),
        status=str(result.status),
        message=" ".join((result.message or "").split()),
        failing_rows=result.failures or 0,
        attached_to=getattr(node, "attached_node", None) or "",
        compiled_path=getattr(node, "original_file_path", ""),
    )


@contextmanager
def _all_given_back() -> Iterator[None]:
    """Close dbt's connection to the lake and its log file at the end; dbt never closes them."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    try:
        yield
    finally:
        DuckDBConnectionManager.close_all_connections()
        reset_adapters()
        for handler in logging.getLogger(_LOG).handlers:
            handler.close()
