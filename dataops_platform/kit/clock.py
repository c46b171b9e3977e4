"""Clocks: a caller passes one in, and every time is aware and in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def ago(then: datetime, now: datetime) -> str:
    """Return the time between two moments in its largest whole unit: `40 S`, `5 MIN`, `3 H`, `2 D`."""
    seconds = max(0, int((now - then).total_seconds()))
    for size, unit in ((86400, "D"), (3600, "H"), (60, "MIN")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} S"
