"""No fault point is without a test that kills a process there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from dataops_platform.kit.faults import FAULT_POINTS

TESTS = Path(__file__).parents[1]
KILLERS = (
    "kills/test_kills.py",
    "kills/test_killed_runs.py",
    "kills/test_killed_moves.py",
    "kills/test_killed_gc.py",
    "release/environments/test_branch.py",
    "release/pinned_code/test_pin.py",
    "release/registry/test_reconcile.py",
)


def test_every_fault_point_is_died_at() -> None:
    assert {point for name in KILLERS for point in died_at(TESTS / name)} == set(FAULT_POINTS)


def died_at(path: Path) -> Iterator[str]:
    """The fault points that a file's tests are given, by lists or as parameters."""
    module = import_module(".".join(("tests", *path.relative_to(TESTS).with_suffix("").parts)))
    for name, value in vars(module).items():
        marks = getattr(value, "pytestmark", []) if name.startswith("test_") else []
        values = [values for mark in marks if mark.name == "parametrize" for values in mark.args[1]]
        lists = [*value] if name.isupper() and isinstance(value, list | set) else []
        for said in (text for text in [*values, *lists] if isinstance(text, str)):
            for one in re.split(r" > |,", said):
                point = one.partition(":")[0]
                yield from {point, f"{path.stem.removeprefix('test_')}.{point}"} & set(FAULT_POINTS)
