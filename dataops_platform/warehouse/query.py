"""Queries that can change nothing: one SELECT on a lake attached read-only, without access to other files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.errors import UsedWrongly, preview
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.warehouse.attach import LakeLocation, attach

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE_FUNCTIONS = frozenset({"generate_series", "json_each", "json_tree", "range", "repeat", "unnest"})
"""Functions that a FROM may call: they make rows of their arguments. Others may open files or databases, or change the
lake."""

_CATALOG_PREFIX = "__ducklake"
_TABLES_WITH_DSN = frozenset({"duckdb_databases", "pragma_database_list"})


@dataclass(frozen=True)
class QueryResult:
    """The rows of a query by column name, and whether the query has more of them."""

    columns: tuple[str, ...]
    rows: Sequence[dict[str, Any]]
    more: bool


def ask(location: LakeLocation, environment: str, query: str, limit: int) -> QueryResult:
    """Return at most `limit` rows of one SELECT. Names without a schema are those of `environment`.

    Of two columns with one name the second gets the suffix `_1`.
    Raises: UsedWrongly DP-Q001 for anything but one SELECT, DP-Q008 for a text that is no SQL, DP-Q002 for a query that
    DuckDB cannot run, DP-Q003 when the environment shows nothing yet, DP-Q004 for a query that reads anything but the
    lake's tables, DP-W001 without a lake.
    """
    import duckdb

    _refuse_all_but_one_select(query)
    connection = attach(location, read_only=True)
    try:
        known = connection.execute(
            f"select 1 from duckdb_schemas() where database_name = 'lake' and schema_name = {literal(environment)}"
        ).fetchone()
        if not known:
            raise UsedWrongly("DP-Q003", environment=environment)
        _close_the_file_system(connection, location)
        connection.execute(f"use lake.{identifier(environment)}")
        described, rows = _interruptible(connection, query, limit + 1)
        columns = _distinct(described)
    except duckdb.Error as error:
        raise UsedWrongly("DP-Q002", reason=str(error)[:600]) from error
    finally:
        connection.close()
    return QueryResult(columns, [dict(zip(columns, row, strict=True)) for row in rows[:limit]], len(rows) > limit)


def _interruptible(connection: DuckDBPyConnection, query: str, limit: int) -> tuple[list[str], list[Any]]:
    """Return column names and at most `limit` rows; Ctrl-C interrupts the query.

    The query runs in another thread: only the main thread receives Ctrl-C, and only while it executes Python.
    """

    def answer() -> tuple[list[str], list[Any]]:
        cursor = connection.execute(query)
        return [column[0] for column in cursor.description or ()], cursor.fetchmany(limit)

    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(answer)
        try:
            return asked.result()
        except KeyboardInterrupt:
            connection.interrupt()
            raise


def _refuse_all_but_one_select(query: str) -> None:
    """Refuse everything but one SELECT, as DuckDB's own parser reads it.

    EXPLAIN ANALYZE would run what it explains, and a FROM could call any function.
    """
    import duckdb

    read = (
        f"with parsed as (select json_serialize_sql({literal(query)}) as tree) "
        "select tree ->> '$.error_type', tree ->> '$.error_message', json_array_length(tree, '$.statements'), "
        "tree ->> '$..function.function_name', "
        "(tree ->> '$..catalog_name') || (tree ->> '$..schema_name') || (tree ->> '$..table_name') from parsed"
    )
    with duckdb.connect() as parser:
        row = None if "\0" in query else parser.execute(read).fetchone()
    problem, message, statements, functions, names = row or ("parser", "it holds a NUL", 0, [], [])
    if problem == "parser":
        raise UsedWrongly("DP-Q008", reason=message[:600])
    if problem or statements != 1:
        raise UsedWrongly("DP-Q001")
    _refuse_other_sources({name.lower() for name in functions}, {name.lower() for name in names})


def _refuse_other_sources(functions: set[str], names: set[str]) -> None:
    catalog = {name for name in names if name.startswith(_CATALOG_PREFIX)}
    refused = (functions - TABLE_FUNCTIONS) | (names & _TABLES_WITH_DSN) | catalog
    if refused:
        raise UsedWrongly("DP-Q004", sources=preview(sorted(refused)), known=", ".join(sorted(TABLE_FUNCTIONS)))


def _close_the_file_system(connection: DuckDBPyConnection, location: LakeLocation) -> None:
    """Restrict the connection to the lake's own files, whatever the query asks for."""
    connection.execute(f"set allowed_directories = [{literal(location.data.rstrip('/') + '/')}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set python_enable_replacements = false")
    connection.execute("set lock_configuration = true")


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        while name in found:
            name += "_1"
        found.append(name)
    return tuple(found)
