"""Tries the SQL that a user wrote on no rows, so that it is the contract that is refused and not its rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from dataops_platform.contracts.contract import Column, Rule
from dataops_platform.kit.sql import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def unevaluable(rule: Rule, columns: Sequence[Column]) -> str:
    """Why DuckDB cannot evaluate a pattern or an expression over one row; an empty string when it can."""
    if rule.kind == "pattern":
        return _tried(f"select regexp_matches('', {literal(str(rule.argument))})")
    if rule.kind == "expression":
        row = ", ".join(f"null::{column.sql_type} as {identifier(column.name)}" for column in columns)
        reason = _tried(f"select *, ({rule.argument}\n) from (select {row}) limit 0")
        return reason or ("" if rule.columns else "it names no column")
    return ""


def first_words(error: Exception) -> str:
    """What DuckDB says before it repeats the statement, on one line."""
    return " ".join(str(error).partition("\n\n")[0].split())


@lru_cache(maxsize=1)
def _database() -> DuckDBPyConnection:
    import duckdb

    return duckdb.connect()


def _tried(sql: str) -> str:
    import duckdb

    try:
        with _database().cursor() as connection:
            kind = connection.execute(sql).description[-1][1]
    except duckdb.Error as error:
        return first_words(error)
    return "" if kind == "BOOLEAN" else f"it gives {kind}, not true or false"
