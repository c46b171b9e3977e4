"""A day in a settings file."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BeforeValidator


def iso_day(value: object) -> object:
    """Return a quoted ISO date as a date; any other value unchanged."""
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


Day = Annotated[dt.date, BeforeValidator(iso_day)]
