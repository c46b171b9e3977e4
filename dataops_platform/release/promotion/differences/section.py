"""A section of a plan: one sentence, lists of flat records, and a unified diff where there is one.

Text, Markdown and JSON are three ways to print the same section, so a fact belongs into one of these or is not told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Section = Mapping[str, Any]

DIFF = "diff"
SAID = "said"
NOT_SHOWN = "(not shown)"
"""Stands for a value of a column that is classified, or that no contract lists."""

VALUE_WIDTH = 64
LINE_WIDTH = 200
MOST_DIFF_LINES = 400


def section(said: str, diff: str = "", **lists: Sequence[Mapping[str, Any]]) -> Section:
    """A section; empty lists and an empty diff are left out."""
    found = {name: [dict(record) for record in records] for name, records in lists.items() if records}
    return {SAID: said, **found, **({DIFF: diff} if diff else {})}


def shown_value(value: str | None) -> str | None:
    """A value for people: at most 64 characters, control characters as escapes; null stays null."""
    if value is None:
        return None
    cut = value if len(value) <= VALUE_WIDTH else f"{value[: VALUE_WIDTH - 1]}…"
    return printable(cut)


def printable(text: str) -> str:
    """Text that does nothing to a terminal: every control character but a tab as its escape."""
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)


def bounded_diff(diff: str) -> tuple[str, int]:
    """The first 400 lines of a unified diff, each at most 200 characters, and how many lines were left out."""
    lines = diff.splitlines()
    kept = [printable(line if len(line) <= LINE_WIDTH else f"{line[: LINE_WIDTH - 1]}…") for line in lines]
    return "\n".join(kept[:MOST_DIFF_LINES]), max(0, len(lines) - MOST_DIFF_LINES)


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 row`, `3 rows`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
