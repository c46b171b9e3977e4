"""The reaper: it fails runs whose process died, which Dagster would show as running for ever."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

PROCESS_TAG = "dataops/process"


def this_process() -> str:
    """Return the identity of this process, `host:pid:start`, which no other process ever has."""
    return f"{socket.gethostname()}:{os.getpid()}:{_start_of(os.getpid())}"


def reap(instance: DagsterInstance) -> list[str]:
    """Fail the unfinished runs whose processes on this host are gone. Return the ids of those runs."""
    import dagster as dg

    statuses = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]
    reaped = []
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=statuses)):
        process = run.tags.get(PROCESS_TAG, "")
        if process.startswith(socket.gethostname() + ":") and not _is_alive(process):
            instance.report_run_failed(run, "The process of this run died. Nothing it had not committed was kept.")
            reaped.append(run.run_id)
    return reaped


def _is_alive(process: str) -> bool:
    _, pid, start = process.rsplit(":", 2)
    return _start_of(int(pid)) == start


def _start_of(pid: int) -> str:
    """Return when a process started, in the system's own ticks: `gone` without such a process, empty without /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        return ""
    return ""
