"""Profiles of a relation's columns, one for each partition."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from dataops_platform.kit.relation import data_columns_of
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.manifests.profile import ColumnProfile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AS_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_FRACTIONAL = re.compile(r"DOUBLE|FLOAT|DECIMAL.*")
_SHOWN = 64  # characters of a smallest or largest value


def profiles(
    connection: DuckDBPyConnection, relation: str, partitions: Sequence[str], ranges: Collection[str]
) -> dict[str, tuple[ColumnProfile, ...]]:
    """Return the profile of each partition's columns, from one scan. Columns named `_dp_*` are left out.

    Only columns in `ranges` get their smallest and largest value: these are values of actual rows, which may be
    confidential. A partition without rows has no profile.
    """
    columns = data_columns_of(connection, relation)
    key = "_dp_partition" if list(partitions) != [WHOLE] else literal(WHOLE)
    asked = "".join(f", {_profile(name, kind, name in ranges)}" for name, kind in columns.items())
    found = connection.execute(f"select {key}{asked} from {relation} group by 1").fetchall()
    by_partition = {
        part: tuple(ColumnProfile(name, *values[4 * i : 4 * i + 4]) for i, name in enumerate(columns))
        for part, *values in found
    }
    return {partition: by_partition.get(partition, ()) for partition in partitions}


def _profile(name: str, kind: str, with_range: bool) -> str:
    """Return SQL of four values: nulls, an estimate of distinct values, smallest and largest value."""
    column = identifier(name)
    shown = f"{{}}({column})" if _AS_NUMBER.fullmatch(kind) else f"left({{}}({column})::varchar, {_SHOWN})"
    if _FRACTIONAL.fullmatch(kind):
        shown = f"({{}}({column}) filter (isfinite({column}::double)))::double"
    extremes = ", ".join(shown.format(which) for which in ("min", "max")) if with_range else "null, null"
    return f"count(*) - count({column}), approx_count_distinct({column}), {extremes}"
