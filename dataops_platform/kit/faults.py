"""Fault points: named places at which a test can kill the process. Without a test they do nothing.

Every write of the platform passes one fault point before it begins and one before it becomes visible, so that a test
can kill the process at exactly that place. Visits are counted: `name:3` kills at the third.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

FAULT_POINTS: tuple[str, ...] = (
    "stage.before_write",
    "stage.after_write",
    "stage.before_commit",
    "stage.after_commit",
    "adopt.before_commit",
    "adopt.after_commit",
    "transform.before_dbt",
    "transform.during_dbt",
    "transform.after_dbt",
    "restore.before_commit",
    "restore.after_commit",
    "train.before_register",
    "train.after_register",
    "publish.before_write",
    "publish.before_commit",
    "publish.after_commit",
    "promote.before_write",
    "promote.before_commit",
    "promote.after_commit",
    "pin.before_write",
    "pin.before_mark",
    "pin.after_mark",
    "creation.before_write",
    "creation.before_commit",
    "creation.after_commit",
    "drop.before_write",
    "drop.before_commit",
    "drop.after_commit",
    "rollback.before_write",
    "rollback.before_commit",
    "rollback.after_commit",
    "reconcile.before_register",
    "reconcile.after_register",
    "reconcile.before_alias",
    "reconcile.after_alias",
    "reconcile.before_anchor",
    "note.before_commit",
    "note.after_commit",
    "keep.before_commit",
    "keep.after_commit",
    "gc.before_expire",
    "gc.after_expire",
    "gc.after_files",
)

_armed: list[str] = []
_visits: Counter[str] = Counter()


def fault_point(name: str) -> None:
    """Mark a side effect. Kill this process with SIGKILL when a test has armed `name`."""
    if not _armed:
        return
    _visits[name] += 1
    if f"{name}:{_visits[name]}" in _armed:
        os.kill(os.getpid(), signal.SIGKILL)


def arm(specs: str) -> None:
    """Arm fault points, separated by commas: `publish.before_commit` or `stage.before_commit:3` (third visit).

    Raises: ValueError for a name that is no fault point, or a visit below 1.
    """
    for spec in filter(None, specs.split(",")):
        name, _, visit = spec.partition(":")
        if name not in FAULT_POINTS:
            raise ValueError(f"no fault point {name!r}; known: {', '.join(FAULT_POINTS)}")
        count = int(visit or 1)
        if count < 1:
            raise ValueError(f"{spec!r}: visits count from 1")
        _armed.append(f"{name}:{count}")
