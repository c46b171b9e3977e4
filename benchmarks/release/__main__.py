"""How long a promotion takes for tables of several sizes, and a rollback of the flights example.

Run: python -m benchmarks.release [--rows 1000000 10000000 50000000] [--rounds 9] [--rollbacks 20]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

from benchmarks.release.promotions import promotion_seconds
from benchmarks.release.rollbacks import rollback_seconds

GOAL_RATIO = 1.5
GOAL_ROLLBACK_S = 5.0


def main() -> None:
    """Prints both; exits with 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 10_000_000, 50_000_000])
    parser.add_argument("--rounds", type=int, default=9, help="promotions of each size; medians are shown (default 9)")
    parser.add_argument("--rollbacks", type=int, default=20, help="rollbacks of the flights example (default 20)")
    asked = parser.parse_args()
    before = os.getloadavg()
    reached = []
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        if asked.rows:
            reached.append(_promotions(Path(folder), asked.rows, asked.rounds))
        if asked.rollbacks:
            reached.append(_rollbacks(Path(folder), asked.rollbacks))
    print(f"load average {before[0]:.2f} before, {os.getloadavg()[0]:.2f} after, on {os.cpu_count()} cores")
    sys.exit(0 if all(reached) else 1)


def _promotions(folder: Path, sizes: list[int], rounds: int) -> bool:
    seconds = promotion_seconds(folder / "promotions", sizes, rounds)
    print(f"{'rows':>12}{'promote an approved plan, s':>30}{'fastest':>10}{'slowest':>10}")
    medians = {rows: median(found) for rows, found in seconds.items()}
    for rows, found in seconds.items():
        print(f"{rows:>12,}{medians[rows]:>30.3f}{min(found):>10.3f}{max(found):>10.3f}".replace(",", " "))
    ratio = max(medians.values()) / min(medians.values())
    print(f"slowest median / fastest {ratio:.2f}, goal at most {GOAL_RATIO}")
    return ratio <= GOAL_RATIO


def _rollbacks(folder: Path, count: int) -> bool:
    found = rollback_seconds(folder / "flights", count)
    p95 = quantiles(found, n=20)[-1] if len(found) > 1 else found[0]
    print(f"dataops rollback prod on flights, {len(found)} times: median {median(found):.2f} s, p95 {p95:.2f} s")
    print(f"goal at most {GOAL_ROLLBACK_S} s at the 95th percentile")
    return p95 <= GOAL_ROLLBACK_S


if __name__ == "__main__":
    main()
