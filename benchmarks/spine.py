"""Time per stage of `examples/flights`, and what the platform adds to a bare Dagster graph that does the same work.

Run: python -m benchmarks.spine [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.comparison import STAGES, Comparison, Line
from benchmarks.measured_run import Measured
from benchmarks.same_tables import compare

REPOSITORY = Path(__file__).parents[1]
PROJECT = REPOSITORY / "examples" / "flights"
MADE = (".dataops", "__pycache__", "target", "logs")
GOAL_RATIO = 1.3
GOAL_STEP_S = 0.3


def main() -> None:
    """Prints the comparison; exits with 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side; medians are shown (default 3)")
    rounds = parser.parse_args().rounds
    before = os.getloadavg()
    runs: dict[str, list[Measured]] = {"bare": [], "platform": []}
    rows: dict[str, int] = {}
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="spine-") as folder:
            for side in sorted(runs, reverse=number % 2 == 1):
                root = Path(folder) / side
                shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns(*MADE))
                runs[side].append(_run(side, root))
                print(f"round {number + 1} of {rounds}: {side} {runs[side][-1].run_s:.1f} s", file=sys.stderr)
            rows = compare(Path(folder) / "bare", Path(folder) / "platform")
    comparison = Comparison(runs["bare"], runs["platform"])
    _print(comparison, rows)
    print(f"load average {before[0]:.2f} before, {os.getloadavg()[0]:.2f} after, on {os.cpu_count()} cores")
    sys.exit(0 if _goals_reached(comparison) else 1)


def _run(side: str, root: Path) -> Measured:
    """Runs one side in a fresh process, with nothing of this one's environment that could change its work.

    Threads of scikit-learn that wait for one another sleep instead of spinning: on a busy machine spinning would be
    most of what is measured.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER_", "DATAOPS_", "MLFLOW_", "DBT_"))}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore", "OMP_WAIT_POLICY": "PASSIVE"}
    file = root / "measured.json"
    command = [sys.executable, "-m", "benchmarks.measured_run", side, str(root), str(file)]
    subprocess.run(command, check=True, cwd=REPOSITORY, env=environment)
    return Measured(**json.loads(file.read_text()))


def _print(comparison: Comparison, rows: Mapping[str, int]) -> None:
    print(f"\n{'stage':<11}{'step':<20}{'rows':>9}{'bare s':>9}{'platform s':>12}{'ratio':>7}{'+ s a step':>12}")
    steps = {line.name: line for line in comparison.steps()}
    for stage in comparison.stages():
        for name in STAGES[stage.name]:
            print(_row(stage.name, name, rows.get(name), steps[name]))
        if stage.steps > 1:
            print(_row(stage.name, "(all)", None, stage))
    for line in comparison.around():
        print(_row("", line.name, None, line))
    for line in (comparison.total(), comparison.processors()):
        print(_row("total", line.name, None, line))
    bare, platform = comparison.peaks_mib()
    print(f"\nmedians of {len(comparison.bare)} rounds; tables, contents and views of both lakes are equal")
    print(f"peak memory {bare} MiB bare, {platform} MiB platform")


def _row(stage: str, name: str, rows: int | None, line: Line) -> str:
    size = "" if rows is None else f"{rows:,}".replace(",", " ")
    times = f"{line.bare_s:>9.2f}{line.platform_s:>12.2f}{line.ratio:>7.2f}"
    return f"{stage:<11}{name:<20}{size:>9}{times}{line.added_s:>12.2f}"


def _goals_reached(comparison: Comparison) -> bool:
    total, ratios = comparison.total(), comparison.ratios()
    spread = f"{min(ratios):.2f} to {max(ratios):.2f} by round"
    print(f"ratio {total.ratio:.2f} ({spread}), goal at most {GOAL_RATIO}")
    print(f"added {total.added_s:.2f} s a step over {total.steps} steps, goal at most {GOAL_STEP_S}")
    return total.ratio <= GOAL_RATIO and total.added_s <= GOAL_STEP_S


if __name__ == "__main__":
    main()
