"""What every side is started with and gives back; needs nothing but Python, so it runs in any environment."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from benchmarks.contracts.findings import Finding
from benchmarks.contracts.planted import Key


@dataclass(frozen=True)
class Task:
    """What a side is to judge: a Parquet file, the rows that came later, the contract; it may write to `folder`."""

    rows: str
    added: str
    contract: str
    key: Key
    folder: str


@dataclass(frozen=True)
class Report:
    """What a side found, and how long it took to import what it needs and to do the work (wall, processors)."""

    findings: tuple[Finding, ...]
    import_s: float = 0.0
    work_s: float = 0.0
    work_cpu_s: float = 0.0


def answer(libraries: Sequence[str], work: Callable[[Task], list[Finding]]) -> None:
    """Imports the libraries, does the work, writes the report: `python -m MODULE TASK_JSON REPORT_FILE [MODE]`."""
    task, file = Task(**json.loads(sys.argv[1])), Path(sys.argv[2])
    begun = time.perf_counter()
    for library in libraries:
        import_module(library)
    imported, cpu = time.perf_counter(), time.process_time()
    findings = work(task)
    report = Report(tuple(findings), imported - begun, time.perf_counter() - imported, time.process_time() - cpu)
    file.write_text(json.dumps(asdict(report)))


def read_report(file: Path) -> Report:
    """The report that a side wrote."""
    values = json.loads(file.read_text())
    findings = tuple(Finding(tuple(f["rules"]), f["failing_rows"]) for f in values.pop("findings"))
    return Report(findings, **values)
