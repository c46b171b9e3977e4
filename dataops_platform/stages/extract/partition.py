"""The partition of a row, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused, UsedWrongly, did_you_mean, preview
from dataops_platform.kit.sql import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def partition_key(columns: Sequence[str], every: str) -> str:
    """Return SQL of the first day of a row's span, ISO format; null when its columns make no date.

    `columns` is one that holds a date or a time, or year and month (and day).
    """
    if len(columns) == 1:
        day = f"try_cast({identifier(columns[0])} as timestamp)"
    else:
        padded = [f"lpad({identifier(name)}, {4 if i == 0 else 2}, '0')" for i, name in enumerate(columns)]
        parts = padded if len(columns) == 3 else [*padded, "'01'"]
        day = f"try_cast(concat_ws('-', {', '.join(parts)}) as date)"
    return f"strftime(date_trunc('{every}', {day}), '%Y-%m-%d')"


def check_columns(columns: Sequence[str], present: Sequence[str], file: str) -> None:
    """Refuse partition columns that the file lacks. Raises: UsedWrongly DP-E004."""
    for column in columns:
        if column not in present:
            raise UsedWrongly("DP-E004", file=file, column=column, hint=did_you_mean(column, present))


def rows_by_partition(connection: DuckDBPyConnection, relation: str, file: str, keys: Sequence[str]) -> dict[str, int]:
    """Return the number of rows of each partition that has any.

    Raises: Refused DP-E005 for rows in none of the partitions `keys`: they would be in no batch, and be lost.
    """
    counts = connection.execute(f"select _dp_partition, count(*) from {relation} group by 1").fetchall()
    if {partition for partition, _ in counts} <= set(keys):
        return dict(counts)
    known = ", ".join(literal(key) for key in keys)
    lines = connection.execute(
        f"select _dp_line, _dp_partition, count(*) over () from {relation} "
        f"where _dp_partition is null or _dp_partition not in ({known}) order by 1 limit 5"
    ).fetchall()
    named = preview(f"{line} ({part or 'no date'})" for line, part, _ in lines)
    raise Refused("DP-E005", rows=lines[0][2], file=file, first=keys[0], last=keys[-1], lines=named)
