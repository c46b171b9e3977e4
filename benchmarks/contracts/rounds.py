"""Sides run in turns, each in a process of its own; each is first shown to judge every rule."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median

from benchmarks.contracts.findings import differences
from benchmarks.contracts.planted import Key
from benchmarks.contracts.process import Cost, Ended, Limits, measured
from benchmarks.contracts.shipments import contract_for, make, make_addition, make_broken
from benchmarks.contracts.side import Report, Task, read_report
from benchmarks.contracts.sides import Side

REPOSITORY = Path(__file__).parents[2]
CHUNK_BYTES = 1 << 24


@dataclass
class Outcome:
    """All runs of one side; `failed` says why there are no more, `wrong` what it found that was not planted."""

    side: Side
    costs: list[Cost] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    failed: str = ""
    wrong: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether it ran in every round and found what was planted."""
        return bool(self.costs) and not self.failed and not self.wrong

    @property
    def cost(self) -> Cost:
        """Medians of its runs."""
        return Cost(*(median(getattr(cost, name) for cost in self.costs) for name in ("wall_s", "cpu_s", "peak_gb")))

    def middle(self, name: str) -> float:
        """The median of a number of its reports."""
        return median(getattr(report, name) for report in self.reports)


@dataclass(frozen=True)
class Plan:
    """What is run: sizes, kind of key, how often, and when a run is ended; `cache` keeps data and environments."""

    rows: int
    key: Key
    rounds: int
    limits: Limits
    cache: Path


def run(plan: Plan, sides: Sequence[Side]) -> list[Outcome]:
    """The outcome of every side; what fails or finds something else is not run again."""
    folder = plan.cache / "data"
    task = Task(
        str(make(plan.rows, plan.key, folder)),
        str(make_addition(plan.rows, plan.key, folder)),
        str(contract_for(plan.key, folder)),
        plan.key,
        "",
    )
    outcomes = [Outcome(side) for side in sides]
    for outcome in outcomes:
        if outcome.side.proven:
            broken = replace(task, rows=str(make_broken(plan.key, folder)))
            _take(outcome, broken, outcome.side.proven, plan, "proof, every rule broken")
    _read_once(task.rows)
    for number in range(plan.rounds):
        for outcome in _in_turn(outcomes, number):
            if not (outcome.failed or outcome.wrong):
                found = _take(
                    outcome, task, outcome.side.expected(plan.rows), plan, f"round {number + 1} of {plan.rounds}"
                )
                if found:
                    outcome.costs.append(found[0])
                    outcome.reports.append(found[1])
    return outcomes


def _in_turn(outcomes: Sequence[Outcome], number: int) -> Iterable[Outcome]:
    return reversed(outcomes) if number % 2 else outcomes


def _take(
    outcome: Outcome, task: Task, expected: Mapping[str, int], plan: Plan, what: str
) -> tuple[Cost, Report] | None:
    """Runs a side once; None, and the reason in its outcome, when it failed or found what was not planted."""
    side = outcome.side
    with tempfile.TemporaryDirectory(prefix="contracts-") as folder:
        file = Path(folder) / "report.json"
        try:
            command = [
                *side.command(plan.cache),
                json.dumps(asdict(replace(task, folder=folder))),
                str(file),
                side.mode,
            ]
            cost = measured(command, folder=REPOSITORY, environment=_environment(), limits=plan.limits)
            report = read_report(file)
        except (Ended, OSError, subprocess.CalledProcessError) as error:
            said = str(getattr(error, "stderr", "") or error).strip()
            outcome.failed = said.splitlines()[-1] if said else type(error).__name__
    if outcome.failed:
        print(f"{what}: {side.name} FAILED: {outcome.failed}", file=sys.stderr)
        return None
    outcome.wrong = [f"{what}: {wrong}" for wrong in differences(report.findings, expected)]
    if outcome.wrong:
        print(f"{side.name} is WRONG: {'; '.join(outcome.wrong)}", file=sys.stderr)
        return None
    print(f"{what}: {side.name} {cost.cpu_s:.2f} s of processors", file=sys.stderr)
    return cost, report


def _environment() -> dict[str, str]:
    """This process's, without what could change the work of a side."""
    ours = ("DAGSTER_", "DATAOPS_", "DUCKDB_", "POLARS_", "PANDERA_", "PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        "PYTHONWARNINGS": "ignore"
    }


def _read_once(path: str) -> None:
    """Reads a file through, so that the first side does not wait for the disk alone."""
    with Path(path).open("rb") as file:
        while file.read(CHUNK_BYTES):
            pass
