"""Relations of DuckDB: their columns, and tables in memory that are read as relations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def columns_of(connection: DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return the names of a relation's columns, in order, with their types. `relation` is SQL; no row is read."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    return {name: kind for name, kind, *_ in described}


def data_columns_of(connection: DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return the same without the platform's own columns, `_dp_*`."""
    return {name: kind for name, kind in columns_of(connection, relation).items() if not name.startswith("_dp_")}


@contextmanager
def registered(connection: DuckDBPyConnection, **tables: Any) -> Iterator[None]:
    """Let SQL read tables in memory (Arrow or pandas) by name. They are not copied."""
    for name, table in tables.items():
        connection.register(name, table)
    try:
        yield
    finally:
        for name in tables:
            connection.unregister(name)
