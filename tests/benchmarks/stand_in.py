"""A side of the benchmark that knows the answer and does as its mode says; needs no library."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from benchmarks.contracts.findings import Finding, each
from benchmarks.contracts.planted import RULES, planted
from benchmarks.contracts.side import Task, answer

ROWS = 20_000


def work(task: Task) -> list[Finding]:
    """The truth, or something else."""
    mode = sys.argv[3]
    proof = "broken" in Path(task.rows).name
    truth = dict.fromkeys(RULES, 1) | {"primary_key": 2} if proof else planted(ROWS)
    if mode == "one row more" and not proof:
        truth["sku:pattern"] += 1
    if mode == "blind to a rule":
        truth["note:max_length"] = 0
    if mode == "hangs":
        time.sleep(60)
    if mode == "takes memory":
        taken = bytearray(os.urandom(1 << 20) * 400)
        time.sleep(60)
        del taken
    if mode == "breaks":
        raise ValueError("no such column")
    return each(truth)


if __name__ == "__main__":
    answer([], work)
