"""The one place that turns a name or a value into SQL text."""

from __future__ import annotations

from collections.abc import Iterable


def identifier(name: str) -> str:
    """A name quoted for SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def identifiers(names: Iterable[str]) -> str:
    """Names quoted and separated by commas."""
    return ", ".join(identifier(name) for name in names)


def literal(text: str) -> str:
    """Text quoted for the few statements that take no bound values (ATTACH, CREATE VIEW, INSTALL)."""
    return "'" + text.replace("'", "''") + "'"
