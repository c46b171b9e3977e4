"""Checks that a team writes with pandera's API and names in a contract: `module:function`.

The function takes no arguments and returns a `pandera.Check` (or several) for a polars frame with the rule's columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.contract import Rule
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.relation import registered
from dataops_platform.kit.sql import identifiers
from dataops_platform.kit.user_code import call_function, load_function

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def store_failing_rows(connection: DuckDBPyConnection, rule: Rule, staged: str, target: str) -> bool:
    """Run a custom check and store the row ids that fail it in the table `target`. Return whether there are any.

    `staged` is a temporary table; the columns of the rule are pulled into memory.
    Raises: UsedWrongly DP-C016 when the function returns no check, DP-C080 when the check does not judge single rows.
    """
    import pyarrow as pa

    failing = _failing_rows(connection, rule, staged)
    with registered(connection, _dp_failing=pa.table({"row": pa.array(failing, pa.int64())})):
        connection.execute(f"create or replace temp table {target} as from _dp_failing")
    return bool(failing)


def checks_of(rule: Rule) -> list[Any]:
    """Return the pandera checks that a rule names. Raises: UsedWrongly DP-C016."""
    import pandera.polars as pandera

    function = str(rule.argument)
    returned = call_function(function, lambda: load_function(function)())
    checks = list(returned) if isinstance(returned, Sequence) else [returned]
    if not checks or not all(isinstance(check, pandera.Check) for check in checks):
        raise UsedWrongly("DP-C016", function=function, type=type(returned).__name__, place=rule.place)
    return checks


def _failing_rows(connection: DuckDBPyConnection, rule: Rule, staged: str) -> list[int]:
    """Return the ids of the rows of `staged` that fail; rows with a null in a column of the rule are not checked."""
    import pandera.polars as pandera

    checks = checks_of(rule)
    filled = " and ".join(f"{column} is not null" for column in identifiers(rule.columns).split(", "))
    frame = connection.execute(
        f"select rowid as _dp_row, {identifiers(rule.columns)} from {staged} where {filled} order by rowid"
    ).pl()
    rows = frame.drop_in_place("_dp_row")
    single = rule.columns[0] if len(rule.columns) == 1 else None
    schema = pandera.DataFrameSchema(
        {single: pandera.Column(None, checks)} if single else {}, None if single else checks
    )
    error = call_function(str(rule.argument), lambda: _schema_errors(schema, frame))
    if error is None:
        return []
    indices = error.failure_cases["index"].to_list()
    if None in indices:
        reason = " ".join(str(error.failure_cases["failure_case"][indices.index(None)]).split())[:200]
        raise UsedWrongly("DP-C080", function=rule.argument, reason=reason, place=rule.place)
    return sorted({rows[index] for index in indices})


def _schema_errors(schema: Any, frame: Any) -> Any:
    """Return the SchemaErrors of a frame, or None when it is valid."""
    import pandera.errors

    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        return error
    return None
