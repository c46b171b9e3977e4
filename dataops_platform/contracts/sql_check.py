"""Tries the SQL that a user wrote on no rows, so that it is the contract that is refused and not its rows."""

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
    """Why DuckDB cannot evaluate a rule that is SQL; an empty string when it can.

    What a user wrote is tried as it will be asked, in parentheses, and without them: so that it cannot close them.
    """
    row = ", ".join(f"null::{column.sql_type} as {identifier(column.name)}" for column in columns)
    if rule.kind == "pattern":
        return pattern_error(str(rule.argument))
    if rule.kind == "expression":
        wrapped = f"select ({rule.argument}\n) from (select {row}) limit 0"
        asked = f"select true from (select {row}) where not ({rule.argument}\n) limit 0"
        bare = f"select {rule.argument}\n from (select {row}) limit 0"
        reason = _tried(wrapped) or _tried(asked) or _tried(bare) or _changes(wrapped)
        return reason or ("" if rule.columns else "it names no column")
    if rule.kind in ("measure", "query"):
        rows, wrapped = f"(select {row} limit 0)", measured(rule, f"(select {row} limit 0)")
        bare = str(rule.argument).replace("${object}", rows) if rule.kind == "query" else wrapped
        return _tried(wrapped, "a number", _NUMBERS) or _tried(bare, "a number", _NUMBERS) or _changes(wrapped)
    return ""


def pattern_error(pattern: str) -> str:
    """Why DuckDB takes a text for no regular expression; empty when it is one."""
    return _tried(f"select regexp_matches('', {literal(pattern)})")


def refuse_unevaluable(contract: Contract) -> None:
    """Refuses a contract with a rule that DuckDB cannot evaluate. Raises: UsedWrongly DP-C007."""
    for rule in contract.rules:
        reason = unevaluable(rule, contract.columns)
        if reason:
            raise UsedWrongly("DP-C007", place=rule.place, rule=rule.name, reason=reason)


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
    """A database that holds nothing and reaches nothing: no file, no address."""
    import duckdb

    return duckdb.connect(config={"enable_external_access": "false"})


def _tried(sql: str, wanted: str = "true or false", kinds: frozenset[str] = frozenset({"BOOLEAN"})) -> str:
    import duckdb

    try:
        with _database().cursor() as connection:
            given = connection.execute(sql).description
    except duckdb.Error as error:
        return first_words(error)
    if len(given) != 1:
        return f"it gives {len(given)} columns, not one"
    return "" if str(given[0][1]).partition("(")[0] in kinds else f"it gives {given[0][1]}, not {wanted}"


def _changes(sql: str) -> str:
    """The function in a statement that says something else each time it is asked, in words."""
    with _database().cursor() as connection:
        (tree,) = connection.execute(f"select json_serialize_sql({literal(sql)})").fetchone() or ("",)
    used = set(re.findall(r'"function_name":"([^"]+)"', str(tree)))
    volatile = sorted(used & _volatile())
    return f"{volatile[0]}() says something else each time it is asked" if volatile else ""


@lru_cache(maxsize=1)
def _volatile() -> frozenset[str]:
    """Functions of DuckDB that give something else each time."""
    with _database().cursor() as connection:
        found = connection.execute("select distinct function_name from duckdb_functions() where stability = 'VOLATILE'")
        return frozenset(name for (name,) in found.fetchall())
