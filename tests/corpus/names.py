"""Digests and ids as equivalence classes: which are equal to which, in place of their text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

WIDTH = 118


@dataclass(frozen=True)
class Name:
    """A digest or an id. `family` says of what: only those of one family are compared."""

    family: str
    value: str


def name(family: str, value: str | None) -> Name | None:
    """The name of something; None for an empty text, which names nothing."""
    return Name(family, value) if value else None


def numbered(document: object) -> Any:
    """The document with each `Name` as `family n`, counted in the order in which equal ones first appear.

    Keys are taken in their order as text, so that neither a digest's text nor the order of a record's fields decides.
    """
    numbers: dict[str, dict[str, int]] = {}

    def replaced(value: object) -> object:
        if isinstance(value, Name):
            known = numbers.setdefault(value.family, {})
            return f"{value.family} {known.setdefault(value.value, len(known) + 1)}"
        if isinstance(value, dict):
            return {key: replaced(value[key]) for key in sorted(value)}
        return [replaced(one) for one in value] if isinstance(value, list | tuple) else value

    return replaced(document)


def text_of(document: object) -> str:
    """The numbered document as JSON: a record or a list stands on one line where it fits, else a line an item."""
    return f"{_text(numbered(document), 0)}\n"


def _text(value: Any, depth: int) -> str:
    line = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if len(line) + depth <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    first, last = ("{", "}") if isinstance(value, dict) else ("[", "]")
    named = [(f"{json.dumps(key)}: ", value[key]) for key in sorted(value)] if isinstance(value, dict) else []
    items = named or [("", one) for one in value]
    inner = " " * (depth + 1)
    lines = [f"{inner}{key}{_text(one, depth + 1)}" for key, one in items]
    return "\n".join([first, ",\n".join(lines), " " * depth + last])
