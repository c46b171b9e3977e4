"""Checks that a team wrote with pandera's own API, joined to a contract by name: `module:function`.

The function takes nothing and gives a `pandera.Check` (or several) for a polars frame with the columns of its rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.contract import Rule
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.sql import identifiers
from dataops_platform.kit.user_code import call_function, load_function

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def failing_rows(connection: DuckDBPyConnection, rule: Rule, staged: str, target: str) -> bool:
    """Runs a custom check on the columns it needs, pulled into memory, and fills the table `target` with the row ids
    of the temporary table `staged` that it fails. Gives whether there are any.

    Raises: UsedWrongly DP-C016 for a function that gives no check, DP-C080 for a check that judges no single row.
    """
    import pyarrow as pa

    failing = _failing_rows(connection, rule, staged)
    connection.register("_dp_failing", pa.table({"row": pa.array(failing, pa.int64())}))
    connection.execute(f"create or replace temp table {target} as from _dp_failing")
    connection.unregister("_dp_failing")
    return bool(failing)


def checks_of(rule: Rule) -> list[Any]:
    """The pandera checks a rule names. Raises: UsedWrongly DP-C016."""
    import pandera.polars as pandera

    function = str(rule.argument)
    made = call_function(function, lambda: load_function(function)())
    checks = list(made) if isinstance(made, Sequence) else [made]
    if not checks or not all(isinstance(check, pandera.Check) for check in checks):
        raise UsedWrongly("DP-C016", function=function, type=type(made).__name__, place=rule.place)
    return checks


def _failing_rows(connection: DuckDBPyConnection, rule: Rule, staged: str) -> list[int]:
    """Row ids of `staged` that fail; rows with a null in a column of the rule are not asked about."""
    import pandera.polars as pandera

    checks = checks_of(rule)
    filled = " and ".join(f"{column} is not null" for column in identifiers(rule.columns).split(", "))
    frame = connection.execute(
        f"select rowid as _dp_row, {identifiers(rule.columns)} from {staged} where {filled} order by rowid"
    ).pl()
    rows = frame.drop_in_place("_dp_row")
    one = rule.columns[0] if len(rule.columns) == 1 else None
    schema = pandera.DataFrameSchema({one: pandera.Column(None, checks)} if one else {}, None if one else checks)
    error = call_function(str(rule.argument), lambda: _verdict(schema, frame))
    if error is None:
        return []
    indices = error.failure_cases["index"].to_list()
    if None in indices:
        reason = " ".join(str(error.failure_cases["failure_case"][indices.index(None)]).split())[:200]
        raise UsedWrongly("DP-C080", function=rule.argument, reason=reason, place=rule.place)
    return sorted({rows[index] for index in indices})


def _verdict(schema: Any, frame: Any) -> Any:
    """What pandera has against a frame; None when it has nothing."""
    import pandera.errors

    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        return error
    return None
