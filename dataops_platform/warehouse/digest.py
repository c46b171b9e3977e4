"""The digest of rows, computed where they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.manifests.profile import ColumnProfile, Summary
from dataops_platform.manifests.table_digest import TableDigest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TWO_64 = 1 << 64
_AS_WRITTEN = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BOOLEAN|DATE|TIME|DECIMAL\(\d+,0\)")
_FRACTION = re.compile(r"DECIMAL\(\d+,\d+\)")
_AS_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_FRACTIONAL = re.compile(r"DOUBLE|FLOAT|DECIMAL.*")
_SHOWN = 64
_MOMENT = re.compile(r"TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?")


def canonical(name: str, sql_type: str) -> str:
    """SQL that gives one text for equal values of a column.

    1, 1.0 and 1.00 are equal (0.1 and the double next to it are not); -0.0 is 0; NaN is one value; a time with a zone
    is its moment in UTC; null is its own value. Any other type, nested ones too, counts as the text DuckDB gives it,
    preceded by its length, so that neighbours cannot run together.
    """
    column, kind = identifier(name), sql_type.upper()
    if _AS_WRITTEN.fullmatch(kind):
        text = f"{column}::varchar"
    elif kind in ("DOUBLE", "FLOAT"):
        text = f"case when isnan({column}) then 'nan' else printf('%.17g', {column}::double + 0.0) end"
    elif _FRACTION.fullmatch(kind):
        text = _without_end_zeros(column)
    elif _MOMENT.fullmatch(kind):
        text = f"case when isfinite({column}) then {_microseconds(column, kind)} else {column}::varchar end"
    else:
        text = f"strlen({column}::varchar) || ':' || {column}::varchar"
    return f"coalesce({text}, '~')"


def _microseconds(column: str, kind: str) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({column})::varchar || 'Z'"
    if kind == "TIMESTAMP_NS":
        return _without_end_zeros(f"(epoch_ns({column}) * 0.001)")
    return f"epoch_us({column}::timestamp)::varchar"


def _without_end_zeros(number: str) -> str:
    text = f"{number}::varchar"
    return f"case when suffix({text}, '0') then rtrim(rtrim({text}, '0'), '.') else {text} end"  # trimming is slow


def digests(connection: DuckDBPyConnection, relation: str, partitions: Sequence[str]) -> dict[str, TableDigest]:
    """The digest of each partition of a relation.

    Column names count, their order does not; columns named `_dp_*` do not count at all.
    """
    found = summaries(connection, relation, partitions, None)
    return {partition: summary.digest for partition, summary in found.items()}


def summaries(
    connection: DuckDBPyConnection, relation: str, partitions: Sequence[str], ranges: Collection[str] | None
) -> dict[str, Summary]:
    """The digest of each partition and the profile of its columns, in one scan.

    The smallest and largest values are looked up for columns in `ranges` only, since they are values of somebody; no
    profile is made when it is None.
    """
    described = connection.execute(f"describe select * from {relation}").fetchall()
    columns = sorted((name, kind) for name, kind, *_ in described if not name.startswith("_dp_"))
    names = literal(short(digest_of([name for name, _ in columns])))
    row = f"concat_ws(chr(31), {', '.join([names, *(canonical(name, kind) for name, kind in columns)])})"
    key = "_dp_partition" if list(partitions) != [WHOLE] else f"'{WHOLE}'"
    profiled = [(name, kind) for name, kind, *_ in described if ranges is not None and not name.startswith("_dp_")]
    asked = "".join(f", {_profile(name, kind, name in (ranges or ()))}" for name, kind in profiled)
    found = connection.execute(
        f"with rows as (select *, {key} as _dp_part, md5_number({row}) as _dp_number from {relation}) "
        f"select _dp_part, count(*), (sum((_dp_number >> 64)::hugeint) % {_TWO_64})::varchar, "
        f"(sum((_dp_number & {_TWO_64 - 1}::uhugeint)::hugeint) % {_TWO_64})::varchar{asked} from rows group by 1"
    ).fetchall()
    by_partition = {
        part: Summary(
            TableDigest(rows, int(low), int(high)),
            tuple(ColumnProfile(name, *told[4 * i : 4 * i + 4]) for i, (name, _) in enumerate(profiled)),
        )
        for part, rows, low, high, *told in found
    }
    return {partition: by_partition.get(partition, Summary()) for partition in partitions}


def _profile(name: str, kind: str, with_range: bool) -> str:
    """SQL of four values: nulls, an estimate of different values, smallest and largest."""
    column = identifier(name)
    shown = f"{{}}({column})" if _AS_NUMBER.fullmatch(kind) else f"left({{}}({column})::varchar, {_SHOWN})"
    if _FRACTIONAL.fullmatch(kind):
        shown = f"({{}}({column}) filter (isfinite({column}::double)))::double"
    extremes = ", ".join(shown.format(which) for which in ("min", "max")) if with_range else "null, null"
    return f"count(*) - count({column}), approx_count_distinct({column}), {extremes}"
