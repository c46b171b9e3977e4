"""What a contract costs: 12 columns, 25 rules of which 5 fail, beside its peers and beside a bare scan.

Run: python -m benchmarks.contracts [--rows 10000000] [--rounds 3] [--key both] [--only scan ours pandera:polars]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.contracts.goals import ROWS, Goal, goals
from benchmarks.contracts.planted import PERIOD
from benchmarks.contracts.process import Limits
from benchmarks.contracts.rounds import Outcome, Plan, run
from benchmarks.contracts.shipments import CACHE
from benchmarks.contracts.sides import SIDES, Side


def main(arguments: Sequence[str] | None = None, sides: Sequence[Side] = SIDES) -> int:
    """Prints the comparison; 1 when a side found something else than was planted. Missed goals are printed only."""
    options = _options(arguments, sides)
    chosen = [
        side for side in sides if not options.only or {side.name, side.name.partition(":")[0]} & set(options.only)
    ]
    limits = Limits(options.seconds, options.memory_gb)
    written, wrong = dict[str, Any](), list[str]()
    for key in ("integer", "string") if options.key == "both" else (options.key,):
        before = os.getloadavg()[0]
        outcomes = run(Plan(options.rows, key, options.rounds, limits, options.cache.resolve()), chosen)
        found = goals({o.side.name: o.cost for o in outcomes if o.done}, {o.side.name for o in outcomes if o.side.peer})
        _print_table(outcomes, options.rows, key)
        _print_goals(found, options.rows)
        load = f"load average {before:.2f} before, {os.getloadavg()[0]:.2f} after, on {os.cpu_count()} cores"
        print(f"\nmedians of {options.rounds} rounds; {load}")
        wrong += [f"{key} key, {o.side.name}: {what}" for o in outcomes for what in o.wrong]
        written[key] = {
            "load_before": before,
            "sides": {o.side.name: _record(o) for o in outcomes},
            "goals": [asdict(goal) | {"met": goal.met} for goal in found],
        }
    if options.json:
        options.json.write_text(json.dumps({"rows": options.rows, "rounds": options.rounds, "keys": written}, indent=2))
    for line in wrong:
        print(f"WRONG VERDICT: {line}")
    return 1 if wrong else 0


def _options(arguments: Sequence[str] | None, sides: Sequence[Side]) -> argparse.Namespace:
    names = [side.name for side in sides]
    groups = sorted({name.partition(":")[0] for name in names if ":" in name})
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contracts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows of the table (default {ROWS}, at least {PERIOD})")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side; medians are shown (default 3)")
    parser.add_argument("--key", choices=("integer", "string", "both"), default="both", help="what the key is made of")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=[*names, *groups], help=", ".join([*names, *groups])
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures of all runs there, too")
    parser.add_argument("--seconds", type=float, default=1800, help="end a run that takes longer (default 1800)")
    parser.add_argument("--memory-gb", type=float, default=_memory_gb() * 0.8, help="end a run that takes more memory")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where data and the peers' environments are kept")
    options = parser.parse_args(arguments)
    if options.rows < PERIOD or options.rounds < 1:
        parser.error(f"--rows must be {PERIOD} or more, and --rounds 1 or more")
    return options


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _print_table(outcomes: Sequence[Outcome], rows: int, key: str) -> None:
    print(f"\n{_spaced(rows)} rows, {key} key; seconds (cpu: of all processors; of work: without imports)\n")
    print(f"{'side':<20}{'wall':>8}{'import':>8}{'cpu':>8}{'of work':>9}{'peak GB':>9}{'× scan':>8}{'× ours':>8}")
    cpu = {outcome.side.name: outcome.cost.cpu_s for outcome in outcomes if outcome.done}
    for outcome in outcomes:
        name = outcome.side.name
        if not outcome.done:
            reason = f"WRONG: {outcome.wrong[0]}" if outcome.wrong else f"FAILED: {outcome.failed}"
            print(f"{name:<20}  {reason}")
            continue
        cost = outcome.cost
        import_s, work_s = outcome.middle("import_s"), outcome.middle("work_cpu_s")
        times = f"{cost.wall_s:>8.2f}{import_s:>8.2f}{cost.cpu_s:>8.2f}{work_s:>9.2f}"
        ratios = "".join(f"{cost.cpu_s / cpu[o]:>8.2f}" if o in cpu else f"{'–':>8}" for o in ("scan", "ours:verdicts"))
        print(f"{name:<20}{times}{cost.peak_gb:>9.2f}{ratios}")


def _print_goals(found: Sequence[Goal], rows: int) -> None:
    print("\ngoals, in seconds of processors" + ("" if rows == ROWS else f" (meant for {_spaced(ROWS)} rows)"))
    for goal in found:
        figures = "no figure" if goal.met is None else f"{goal.found:.2f}, at most {goal.most:.2f}"
        print(f"{goal.words:<62}{figures:<22}{ {True: 'met', False: 'MISSED', None: '–'}[goal.met] }")


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _record(outcome: Outcome) -> dict[str, Any]:
    runs = zip(outcome.costs, outcome.reports, strict=True)
    return {
        "failed": outcome.failed,
        "wrong": outcome.wrong,
        "runs": [
            asdict(cost) | {name: v for name, v in asdict(report).items() if name != "findings"}
            for cost, report in runs
        ],
        "median": asdict(outcome.cost) if outcome.done else None,
        "findings": [asdict(finding) for finding in outcome.reports[-1].findings] if outcome.reports else [],
    }


if __name__ == "__main__":
    sys.exit(main())
