"""Checks of the SQL that users write, on no rows: an invalid rule refuses the contract, not its rows."""

from __future__ import annotations

import re
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
    """Return why DuckDB cannot evaluate an SQL rule; empty when it can.

    The SQL is tried in parentheses, as the engine evaluates it, and without them: a text that closes them must not
    pass.
    """
    row = ", ".join(f"null::{column.sql_type} as {identifier(column.name)}" for column in columns)
    if rule.kind == "pattern":
        return pattern_error(str(rule.argument))
    if rule.kind == "expression":
        wrapped = f"select ({rule.argument}\n) from (select {row}) limit 0"
        filtered = f"select true from (select {row}) where not ({rule.argument}\n) limit 0"
        bare = f"select {rule.argument}\n from (select {row}) limit 0"
        reason = _error_in(wrapped) or _error_in(filtered) or _error_in(bare) or _volatile_call(wrapped)
        return reason or ("" if rule.columns else "it names no column")
    if rule.kind in ("measure", "query"):
        rows, wrapped = f"(select {row} limit 0)", measure_sql(rule, f"(select {row} limit 0)")
        bare = str(rule.argument).replace("${object}", rows) if rule.kind == "query" else wrapped
        return (
            _error_in(wrapped, "a number", _NUMBERS) or _error_in(bare, "a number", _NUMBERS) or _volatile_call(wrapped)
        )
    return ""


def pattern_error(pattern: str) -> str:
    """Return why DuckDB does not accept a regular expression; empty when it does."""
    return _error_in(f"select regexp_matches('', {literal(pattern)})")


def refuse_unevaluable(contract: Contract) -> None:
    """Refuse a contract with a rule that DuckDB cannot evaluate. Raises: UsedWrongly DP-C007."""
    for rule in contract.rules:
        reason = unevaluable(rule, contract.columns)
        if reason:
            raise UsedWrongly("DP-C007", place=rule.place, rule=rule.name, reason=reason)


def measure_sql(rule: Rule, rows: str) -> str:
    """Return SQL that returns the number of a rule over all rows of a relation."""
    if rule.kind == "measure":
        return f"select ({rule.argument}) from {rows}"
    return f"select ({str(rule.argument).replace('${object}', rows)}\n)"


def error_summary(error: Exception) -> str:
    """Return DuckDB's message up to where it repeats the statement, on one line."""
    return " ".join(str(error).partition("\n\n")[0].split())


@lru_cache(maxsize=1)
def _database() -> DuckDBPyConnection:
    """Return an empty database without access to files or the network."""
    import duckdb

    return duckdb.connect(config={"enable_external_access": "false"})  # a contract may come from anybody


def _error_in(sql: str, expected: str = "true or false", kinds: frozenset[str] = frozenset({"BOOLEAN"})) -> str:
    import duckdb

    try:
        with _database().cursor() as connection:
            columns = connection.execute(sql).description
    except duckdb.Error as error:
        return error_summary(error)
    if len(columns) != 1:
        return f"it gives {len(columns)} columns, not one"
    return "" if str(columns[0][1]).partition("(")[0] in kinds else f"it gives {columns[0][1]}, not {expected}"


def _volatile_call(sql: str) -> str:
    """Return the function call whose result changes between evaluations of a statement, in words; empty without one."""
    with _database().cursor() as connection:
        (tree,) = connection.execute(f"select json_serialize_sql({literal(sql)})").fetchone() or ("",)
    used = set(re.findall(r'"function_name":"([^"]+)"', str(tree)))
    volatile = sorted(used & _volatile())
    return f"{volatile[0]}() says something else each time it is asked" if volatile else ""


@lru_cache(maxsize=1)
def _volatile() -> frozenset[str]:
    """Return DuckDB's functions whose result changes between evaluations."""
    with _database().cursor() as connection:
        found = connection.execute("select distinct function_name from duckdb_functions() where stability = 'VOLATILE'")
        return frozenset(name for (name,) in found.fetchall())
