"""One side of the comparison, run once in this process: `python -m benchmarks.measured_run SIDE FOLDER FILE`."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
YEAR = {
    "dagster/asset_partition_range_start": "2013-01-01",
    "dagster/asset_partition_range_end": "2013-12-01",
}


@dataclass(frozen=True)
class Measured:
    """Seconds of one run: to load the definitions, of the whole run, and of each step; of processors; peak memory."""

    load_s: float
    run_s: float
    steps_s: dict[str, float]
    cpu_s: float
    peak_mib: int


class Stopwatch:
    """Seconds and seconds of processors (of this process, all threads) since it was made."""

    def __init__(self) -> None:
        self._begun, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Both."""
        return time.perf_counter() - self._begun, time.process_time() - self._cpu


def run_platform(root: Path) -> Measured:
    """The project as `dataops run` runs it."""
    loading = Stopwatch()
    from dataops_platform.orchestration.definitions import load_definitions
    from dataops_platform.orchestration.instance import open_instance
    from dataops_platform.orchestration.launch import launch
    from dataops_platform.settings.project import load_project

    project = load_project(root)
    defs = load_definitions(project)
    load_s, _ = loading.read()
    with open_instance(project) as instance:
        running = Stopwatch()
        result = launch(project, defs, instance)
        assert result.success, result.failures
        return _measured(load_s, running, instance, result.run_id)


def run_bare(root: Path) -> Measured:
    """The bare graph, on an instance with the same settings."""
    loading = Stopwatch()
    import dagster as dg

    from benchmarks.bare_graph import definitions

    sys.path.insert(0, str(root / "src"))
    home = root / ".bare" / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text(files("dataops_platform.orchestration").joinpath("dagster.yaml").read_text())
    os.environ["DAGSTER_HOME"] = str(home)
    defs = definitions(root)
    load_s, _ = loading.read()
    with dg.DagsterInstance.get() as instance:
        running = Stopwatch()
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, run_config=QUIET, tags=YEAR)
        return _measured(load_s, running, instance, result.run_id)


def _measured(load_s: float, running: Stopwatch, instance: DagsterInstance, run_id: str) -> Measured:
    run_s, cpu_s = running.read()
    began: dict[str, float] = {}
    steps: dict[str, float] = {}
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is not None and event.step_key is not None:
            if event.event_type_value == "STEP_START":
                began[event.step_key] = entry.timestamp
            if event.event_type_value == "STEP_SUCCESS":
                steps[event.step_key.partition("__")[2]] = entry.timestamp - began[event.step_key]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Measured(load_s, run_s, steps, cpu_s, peak)


SIDES: dict[str, Callable[[Path], Measured]] = {"bare": run_bare, "platform": run_platform}

if __name__ == "__main__":
    side, folder, file = sys.argv[1:]
    Path(file).write_text(json.dumps(asdict(SIDES[side](Path(folder)))))
