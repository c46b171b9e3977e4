"""Runs dbt inside this process, so that it dies with the step, and says what each node came to."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.faults import fault_point
from dataops_platform.stages.transform.profile import DbtPaths

_GOOD = frozenset({"success", "pass", "warn", "no-op"})


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test."""

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
        """Whether it stands in nobody's way; a warning does not."""
        return self.status in _GOOD


def run_dbt(paths: DbtPaths, say: Callable[[str], None]) -> list[NodeResult]:
    """Builds all models and runs their tests, in dependency order. `say` gets a line for each model made.

    Raises: SystemFailed DP-D005 when dbt could not run at all.
    """
    from dbt.cli.main import dbtRunner

    def listen(event: Any) -> None:
        if event.info.name in ("LogModelResult", "LogSeedResult", "LogSnapshotResult"):
            say(f"{event.data.node_info.node_name} {event.data.execution_time:.1f} s")
            fault_point("transform.during_dbt")

    arguments = ["--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats", "build", *paths.arguments]
    printed = io.StringIO()
    with _connections_closed(), redirect_stdout(printed):
        done = dbtRunner(callbacks=[listen]).invoke(arguments)
    if done.exception is not None or not hasattr(done.result, "results"):
        text = str(done.exception or printed.getvalue()).strip()
        raise SystemFailed("DP-D005", f"dbt could not run: {text[:600]}") from done.exception
    return [_node_result(result) for result in done.result.results]


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
def _connections_closed() -> Iterator[None]:
    """Gives back dbt's connection to the lake when dbt is done; it is kept for ever otherwise."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    try:
        yield
    finally:
        DuckDBConnectionManager.close_all_connections()
        reset_adapters()
