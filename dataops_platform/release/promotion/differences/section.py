"""A section of a plan: a text, lists of flat records, and an optional unified diff.

Text, Markdown and JSON print the same section, so every fact is in one of these three parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Section = Mapping[str, Any]

DIFF = "diff"
SAID = "message"
NOT_SHOWN = "(not shown)"
"""Stands for a value of a column that is classified, or that no contract lists."""

VALUE_WIDTH = 64
LINE_WIDTH = 200
MOST_DIFF_LINES = 400


def section(message: str, diff: str = "", **lists: Sequence[Mapping[str, Any]]) -> Section:
    """Return a section without empty lists and without an empty diff."""
    found = {name: [dict(record) for record in records] for name, records in lists.items() if records}
    return {SAID: message, **found, **({DIFF: diff} if diff else {})}


def shown_value(value: str | None) -> str | None:
    """Return a value for people: at most 64 characters before control characters are escaped. Null stays null."""
    if value is None:
        return None
    cut = value if len(value) <= VALUE_WIDTH else f"{value[: VALUE_WIDTH - 1]}…"
    return printable(cut)


def printable(text: str) -> str:
    """Return text that is safe for a terminal: control characters other than tabs are escaped."""
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)


def bounded_diff(diff: str) -> tuple[str, int]:
    """Return the first 400 lines of a unified diff, each cut at 200 characters, and the number of lines left out."""
    lines = diff.splitlines()
    kept = [printable(line if len(line) <= LINE_WIDTH else f"{line[: LINE_WIDTH - 1]}…") for line in lines]
    return "\n".join(kept[:MOST_DIFF_LINES]), max(0, len(lines) - MOST_DIFF_LINES)


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 row`, `3 rows`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
