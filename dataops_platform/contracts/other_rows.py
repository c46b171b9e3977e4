"""Rules that look beyond a row: duplicate keys, and references to rows that do not exist.

Each rule is reduced to a small table of offending values, read from the rule's own columns. From then on it is a
condition on a row like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataops_platform.contracts.contract import Rule
from dataops_platform.kit.sql import identifier, identifiers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FEW_ROWS = 1_000_000
"""Up to this many keys are grouped directly."""

SLICE_ROWS = 16_000_000
"""The number of key hashes that are sorted at a time, in about 20 bytes each."""

BITS_PER_KEY = 16
"""Integers are dense when a bitmap of their range takes at most this many bits for each key."""

_GROUP_BITS = 10


def duplicate_keys(
    connection: DuckDBPyConnection, rows: str, rule: Rule, target: str, others: str | None = None
) -> bool:
    """Store in the table `target` the keys that occur twice in the rows, or in the rows and in the relation `others`.

    Return whether there are any. A key with a null in it is no duplicate. Few rows are grouped. Dense integers are
    counted in bitmaps, and only crowded bitmaps are grouped. Other keys are hashed and sorted, and only keys whose hash
    occurs twice are grouped.
    """
    keys, filled = identifiers(rule.columns), _filled(rule)
    suspects = _suspects(connection, rows, rule)
    connection.execute(
        f"create or replace temp table {target} as select {keys} from {rows} where {filled}{suspects} "
        "group by all having count(*) > 1"
    )
    if others is not None:
        connection.execute(
            f"insert into {target} select distinct {keys} from {others} where {filled} "
            f"and ({keys}) in (select {keys} from {rows} where {filled}) and ({keys}) not in (from {target})"
        )
    return _has_rows(connection, target)


def missing_references(connection: DuckDBPyConnection, rows: str, rule: Rule, target: str, known: str) -> bool:
    """Store in the table `target` the values of a column that are not in the relation `known` (one column).

    Return whether there are any.
    """
    column = identifier(rule.columns[0])
    connection.execute(
        f"create or replace temp table {target} as select distinct {column} from {rows} where {column} is not null "
        f"and {column} not in (select * from ({known}) as known(k) where k is not null)"
    )
    return _has_rows(connection, target)


def _suspects(connection: DuckDBPyConnection, rows: str, rule: Rule) -> str:
    """Return a condition that every duplicate key satisfies, and few other keys; empty when there are few rows."""
    column = identifier(rule.columns[0])
    is_integer = len(rule.columns) == 1 and _type_of(connection, rows, column).endswith("INT")
    bounds = f"min({column})::hugeint, max({column})::hugeint" if is_integer else "null, null"
    found = connection.execute(f"select count(*), {bounds} from {rows}").fetchone()
    count, low, high = found or (0, None, None)
    if count <= FEW_ROWS:
        return ""
    if low is not None and high - low <= BITS_PER_KEY * count and abs(low) < 2**62:
        return _in_crowded_group(connection, rows, column, f"({column}::bigint - ({low}))")
    return _hash_occurs_twice(connection, rows, rule, slices=-(-count // SLICE_ROWS))


def _in_crowded_group(connection: DuckDBPyConnection, rows: str, column: str, offset: str) -> str:
    group, last = f"({offset} >> {_GROUP_BITS})", (1 << _GROUP_BITS) - 1
    connection.execute(
        "create or replace temp table _dp_crowded as select part from ("
        f"select {group} as part, count(*) as keys, bitstring_agg(({offset} & {last})::integer, 0, {last}) as bits "
        f"from {rows} where {column} is not null group by 1) where keys <> bit_count(bits)"
    )
    return f" and {group} in (from _dp_crowded)" if _has_rows(connection, "_dp_crowded") else " and false"


def _hash_occurs_twice(connection: DuckDBPyConnection, rows: str, rule: Rule, slices: int) -> str:
    hashed = f"hash({identifiers(rule.columns)})"
    connection.execute("create or replace temp table _dp_hashes (h ubigint)")
    for part in range(slices):
        in_slice = f" and {hashed} % {slices} = {part}" if slices > 1 else ""
        connection.execute(
            "insert into _dp_hashes select distinct h from (select h, lag(h) over (order by h) as before from "
            f"(select {hashed} as h from {rows} where {_filled(rule)}{in_slice})) where h = before"
        )
    return f" and {hashed} in (from _dp_hashes)" if _has_rows(connection, "_dp_hashes") else " and false"


def _filled(rule: Rule) -> str:
    return " and ".join(f"{identifier(c)} is not null" for c in rule.columns)


def _type_of(connection: DuckDBPyConnection, rows: str, column: str) -> str:
    return str(connection.execute(f"describe select {column} from {rows}").fetchall()[0][1])


def _has_rows(connection: DuckDBPyConnection, table: str) -> bool:
    return connection.execute(f"from {table} limit 1").fetchone() is not None
