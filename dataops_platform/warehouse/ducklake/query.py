"""Questions to the lake that can change nothing: one SELECT on a lake attached read-only, the file system closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.warehouse.ducklake.attach import LakeLocation, attach


@dataclass(frozen=True)
class Answer:
    """Rows of a query by column name, and whether there were more than asked for."""

    columns: tuple[str, ...]
    rows: Sequence[dict[str, Any]]
    more: bool


def ask(location: LakeLocation, environment: str, query: str, limit: int) -> Answer:
    """At most `limit` rows of one SELECT; names without a schema are those of `environment`.

    Raises: UsedWrongly DP-Q001 for anything but one SELECT, DP-Q002 for one that DuckDB cannot run, DP-Q003 when
    the environment shows nothing yet, DP-W001 without a lake.
    """
    import duckdb

    _refuse_all_but_one_select(query)
    connection = attach(location, read_only=True)
    try:
        known = connection.execute(
            "select 1 from duckdb_schemas() where database_name = 'lake' and schema_name = $name", {"name": environment}
        ).fetchone()
        if not known:
            raise UsedWrongly("DP-Q003", f"{environment} shows nothing yet", fix="publish something: dataops run")
        _close_the_file_system(connection, location)
        connection.execute(f"use lake.{identifier(environment)}")
        cursor = connection.execute(query)
        columns = tuple(column[0] for column in cursor.description or ())
        rows = cursor.fetchmany(limit + 1)
    except duckdb.Error as error:
        raise UsedWrongly("DP-Q002", f"DuckDB cannot run this: {str(error)[:600]}") from error
    finally:
        connection.close()
    return Answer(columns, [dict(zip(columns, row, strict=True)) for row in rows[:limit]], len(rows) > limit)


def _refuse_all_but_one_select(query: str) -> None:
    import duckdb

    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise UsedWrongly("DP-Q002", f"this is no SQL: {str(error)[:600]}") from error
    allowed = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    if len(statements) != 1 or statements[0].type not in allowed:
        raise UsedWrongly(
            "DP-Q001", "only one SELECT at a time is answered here", fix="data changes through contracts: dataops run"
        )


def _close_the_file_system(connection: Any, location: LakeLocation) -> None:
    """Only the lake's own files can be read from here on, whatever the query says."""
    paths = [location.data.rstrip("/") + "/"]
    if location.sqlite_path is not None:
        paths.append(f"{location.sqlite_path.parent}/")
    connection.execute(f"set allowed_directories = [{', '.join(literal(path) for path in paths)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
