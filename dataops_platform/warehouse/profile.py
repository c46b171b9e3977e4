"""What the columns of a relation look like, partition by partition."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.manifests.profile import ColumnProfile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AS_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_FRACTIONAL = re.compile(r"DOUBLE|FLOAT|DECIMAL.*")
_SHOWN = 64


def profiles(
    connection: DuckDBPyConnection, relation: str, partitions: Sequence[str], ranges: Collection[str]
) -> dict[str, tuple[ColumnProfile, ...]]:
    """The profile of each partition's columns, in one scan; columns named `_dp_*` have none.

    The smallest and largest values are looked up for columns in `ranges` only, since they are values of somebody.
    """
    described = connection.execute(f"describe select * from {relation}").fetchall()
    columns = [(name, kind) for name, kind, *_ in described if not name.startswith("_dp_")]
    key = "_dp_partition" if list(partitions) != [WHOLE] else literal(WHOLE)
    asked = "".join(f", {_profile(name, kind, name in ranges)}" for name, kind in columns)
    found = connection.execute(f"select {key}{asked} from {relation} group by 1").fetchall()
    by_partition = {
        part: tuple(ColumnProfile(name, *values[4 * i : 4 * i + 4]) for i, (name, _) in enumerate(columns))
        for part, *values in found
    }
    return {partition: by_partition.get(partition, ()) for partition in partitions}


def _profile(name: str, kind: str, with_range: bool) -> str:
    """SQL of four values: nulls, an estimate of different values, smallest and largest."""
    column = identifier(name)
    shown = f"{{}}({column})" if _AS_NUMBER.fullmatch(kind) else f"left({{}}({column})::varchar, {_SHOWN})"
    if _FRACTIONAL.fullmatch(kind):
        shown = f"({{}}({column}) filter (isfinite({column}::double)))::double"
    extremes = ", ".join(shown.format(which) for which in ("min", "max")) if with_range else "null, null"
    return f"count(*) - count({column}), approx_count_distinct({column}), {extremes}"
