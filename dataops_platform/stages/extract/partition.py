"""Which span of time a row belongs to, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused, UsedWrongly, did_you_mean, some
from dataops_platform.kit.sql import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def partition_key(columns: Sequence[str], every: str) -> str:
    """SQL of the first day of a row's span, ISO format, null when its columns make no date.

    `columns`: one that holds a date or a time, or year and month (and day).
    """
    if len(columns) == 1:
        day = f"try_cast({identifier(columns[0])} as timestamp)"
    else:
        padded = [f"lpad({identifier(name)}, {4 if i == 0 else 2}, '0')" for i, name in enumerate(columns)]
        parts = padded if len(columns) == 3 else [*padded, "'01'"]
        day = f"try_cast(concat_ws('-', {', '.join(parts)}) as date)"
    return f"strftime(date_trunc('{every}', {day}), '%Y-%m-%d')"


def check_columns(columns: Sequence[str], present: Sequence[str], file: str) -> None:
    """Refuses partition columns that the file lacks. Raises: UsedWrongly DP-E004."""
    for column in columns:
        if column not in present:
            raise UsedWrongly(
                "DP-E004", f"{file} has no column {column!r} to partition by; {did_you_mean(column, present)}"
            )


def refuse_rows_without_partition(connection: DuckDBPyConnection, relation: str, file: str) -> None:
    """Refuses a file with rows whose partition columns make no date: they would be in no batch, and so be lost.

    Raises: Refused DP-E005.
    """
    lines = connection.execute(
        f"select _dp_line, count(*) over () from {relation} where _dp_partition is null order by 1 limit 5"
    ).fetchall()
    if lines:
        raise Refused(
            "DP-E005",
            f"{lines[0][1]} rows of {file} belong to no partition: their partition columns make no date "
            f"(lines {some(line for line, _ in lines)})",
            fix="correct those lines; nothing was written",
        )
