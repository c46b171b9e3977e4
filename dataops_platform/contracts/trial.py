"""Tries the SQL that a user wrote on no rows, so that it is the contract that is refused and not its rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from dataops_platform.contracts.contract import Column, Contract, Rule
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.sql import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_NUMBERS = frozenset(["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "FLOAT", "DOUBLE", "NUMBER"])


def unevaluable(rule: Rule, columns: Sequence[Column]) -> str:
    """Why DuckDB cannot evaluate a rule that is SQL; an empty string when it can."""
    if rule.kind == "pattern":
        return _tried(f"select regexp_matches('', {literal(str(rule.argument))})")
    if rule.kind == "expression":
        row = ", ".join(f"null::{column.sql_type} as {identifier(column.name)}" for column in columns)
        reason = _tried(f"select *, ({rule.argument}\n) from (select {row}) limit 0")
        return reason or ("" if rule.columns else "it names no column")
    if rule.kind in ("measure", "query"):
        row = ", ".join(f"null::{column.sql_type} as {identifier(column.name)}" for column in columns)
        return _tried(measured(rule, f"(select {row} limit 0)"), "a number", _NUMBERS)
    return ""


def refuse_unevaluable(contract: Contract) -> None:
    """Refuses a contract with a rule that DuckDB cannot evaluate. Raises: UsedWrongly DP-C007."""
    for rule in contract.rules:
        reason = unevaluable(rule, contract.columns)
        if reason:
            raise UsedWrongly("DP-C007", f"{rule.place} rule {rule.name!r} cannot be evaluated: {reason}")


def measured(rule: Rule, rows: str) -> str:
    """SQL that gives the number of a rule over all rows of a relation."""
    if rule.kind == "measure":
        return f"select ({rule.argument}) from {rows}"
    return f"select ({str(rule.argument).replace('${object}', rows)}\n)"


def first_words(error: Exception) -> str:
    """What DuckDB says before it repeats the statement, on one line."""
    return " ".join(str(error).partition("\n\n")[0].split())


@lru_cache(maxsize=1)
def _database() -> DuckDBPyConnection:
    import duckdb

    return duckdb.connect()


def _tried(sql: str, wanted: str = "true or false", kinds: frozenset[str] = frozenset({"BOOLEAN"})) -> str:
    import duckdb

    try:
        with _database().cursor() as connection:
            kind = connection.execute(sql).description[-1][1]
    except duckdb.Error as error:
        return first_words(error)
    return "" if str(kind).partition("(")[0] in kinds else f"it gives {kind}, not {wanted}"
