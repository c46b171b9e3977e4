"""Names and values as SQL text; nothing else in the package quotes SQL."""

from __future__ import annotations

from collections.abc import Iterable


def identifier(name: str) -> str:
    """Return a name quoted for SQL; it may hold any character."""
    return '"' + name.replace('"', '""') + '"'


def identifiers(names: Iterable[str]) -> str:
    """Return names quoted and separated by commas."""
    return ", ".join(identifier(name) for name in names)


def literal(value: str | int | float | bool) -> str:
    """Return a value as an SQL literal: text quoted, a float as exactly that double."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"'{value!r}'::double"
    if isinstance(value, int):
        return str(value)
    quoted = "'" + value.replace("'", "''") + "'"
    return quoted if "\0" not in value else "(" + quoted.replace("\0", "' || chr(0) || '") + ")"
