"""The digest of `docs/row-digest.md`, written down a second time as the page says it, and held against the fast one."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite, isnan
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import xxhash
from duckdb import DuckDBPyConnection
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.row_hash.values import hashes

VECTORS = json.loads(Path(__file__).with_name("digest_vectors.json").read_text())
WORD = 2**64
MOST = 2**63 - 1

# --- the page, step by step, in plain Python ---------------------------------------------------------------------


def key(text: str, lane: int = 0) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[8 * lane : 8 * lane + 8], "little")


def weight(text: str, lane: int = 0) -> int:
    return key(text, lane) | 1


def mix(x: int) -> int:
    x %= WORD
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % WORD
    return x ^ (x >> 31)


def number(kind: str, x: Fraction) -> int:
    q, e = x, 0
    while q and q.numerator % 2 == 0:
        q, e = q / 2, e + 1
    while q.denominator % 2 == 0:
        q, e = q * 2, e - 1
    residue = q.numerator * pow(q.denominator, -1, 2**128) % 2**128
    low, high = residue % WORD, residue >> 64
    return mix(key(kind) + low + high * weight("high") + e * weight("exponent"))


@dataclass(frozen=True)
class Of:
    """A value whose Python type does not say what it is: a number of some kind, a map, an interval."""

    kind: str
    content: Any


def value_hash(value: Any) -> int:
    match value:
        case None:
            return mix(key("null"))
        case bool():
            return number("boolean", Fraction(value))
        case float() if isnan(value):
            return mix(key("number") + key("nan"))
        case float() if not isfinite(value):
            return mix(key("number") + key("infinity" if value > 0 else "-infinity"))
        case int() | float() | Decimal():
            return number("number", Fraction(value))
        case str():
            return xxhash.xxh3_64_intdigest(value.encode()) + key("text")
        case bytes():
            return xxhash.xxh3_64_intdigest(value) + key("blob")
        case list():
            return sequence("list", map(value_hash, value))
        case dict():
            return record("struct", value)
        case Of("interval", content):
            return record("interval", dict(zip(("months", "days", "nanoseconds"), content, strict=True)))
        case Of("map", content):
            return sequence("map", (record("struct", {"key": k, "value": v}) for k, v in content))
        case Of(kind, "infinity" | "-infinity" as content):
            return mix(key(kind) + key(content))
        case Of(kind, content):
            return number(kind, Fraction(content))
    raise TypeError(value)


def record(kind: str, fields: Mapping[str, Any], lane: int = 0) -> int:
    return mix(key(kind) + sum(value_hash(value) * weight(name, lane) for name, value in fields.items()))


def sequence(kind: str, items: Iterator[int]) -> int:
    return mix(key(kind) + sum(mix(item + i * weight("place")) for i, item in enumerate(items)))


def table_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    lanes = [sum(record("row", row, lane) for row in rows) % WORD for lane in (0, 1)]
    return f"dp1:{len(rows)}:{lanes[1]:016x}{lanes[0]:016x}"


# --- values as Arrow holds them, and as the page knows them ------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A type of Arrow, values to put into it, and what each of them is."""

    arrow: pa.DataType
    values: st.SearchStrategy[Any]
    means: Callable[[Any], Any] = lambda value: value


def times(arrow: pa.DataType, kind: str, per_microsecond: Fraction, most: int = MOST) -> Kind:
    ticks = st.integers(-most + 1, most - 1) | st.integers(-9, 9)
    return Kind(arrow, ticks, lambda value: Of(kind, value / per_microsecond))


INTEGERS = {
    pa.int8(): (-(2**7), 2**7 - 1),
    pa.int16(): (-(2**15), 2**15 - 1),
    pa.int32(): (-(2**31), 2**31 - 1),
    pa.int64(): (-(2**63), 2**63 - 1),
    pa.uint8(): (0, 2**8 - 1),
    pa.uint64(): (0, 2**64 - 1),
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
NUMBERS = st.none() | st.integers(-(2**31), 2**31 - 1)
KINDS = {
    **{str(arrow): Kind(arrow, st.integers(*bounds)) for arrow, bounds in INTEGERS.items()},
    **{str(arrow): Kind(arrow, st.floats(width=width)) for arrow, width in ((pa.float32(), 32), (pa.float64(), 64))},
    **{
        f"decimal {digits} {scale}": Kind(
            pa.decimal128(digits, scale),
            (st.integers(-(10**digits) + 1, 10**digits - 1) | st.integers(-20, 20)).map(
                lambda unscaled, scale=scale: Decimal(unscaled).scaleb(-scale)
            ),
        )
        for digits, scale in ((4, 2), (18, 4), (18, 18), (28, 0), (28, 10))
    },
    **{f"text {arrow}": Kind(arrow, TEXTS) for arrow in (pa.string(), pa.large_string(), pa.string_view())},
    "dictionary": Kind(pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b", ""])),
    "blob": Kind(pa.binary(), st.binary(max_size=300)),
    "boolean": Kind(pa.bool_(), st.booleans()),
    "date": Kind(pa.date32(), st.integers(-(2**31) + 2, 2**31 - 1), lambda days: Of("date", days)),
    "time": Kind(pa.time64("us"), st.integers(0, 86_400_000_000 - 1), lambda ticks: Of("time", ticks)),
    "timestamp s": times(pa.timestamp("s"), "timestamp", Fraction(1, 10**6), 2**43),
    "timestamp ms": times(pa.timestamp("ms"), "timestamp", Fraction(1, 10**3), 2**53),
    "timestamp us": times(pa.timestamp("us"), "timestamp", Fraction(1)),
    "timestamp ns": times(pa.timestamp("ns"), "timestamp", Fraction(10**3)),
    "moment": times(pa.timestamp("us", "Asia/Kolkata"), "moment", Fraction(1)),
    "interval": Kind(
        pa.month_day_nano_interval(),
        st.tuples(*[st.integers(-1000, 1000)] * 2, st.integers(-(2**40), 2**40).map(lambda us: us * 1000)),
        lambda parts: Of("interval", parts),
    ),
    "list": Kind(pa.list_(pa.int32()), st.lists(NUMBERS, max_size=4)),
    "list of lists": Kind(
        pa.list_(pa.list_(pa.string())), st.lists(st.none() | st.lists(st.none() | TEXTS, max_size=3))
    ),
    "struct": Kind(
        pa.struct({"b": pa.string(), "a": pa.list_(pa.int32())}),
        st.fixed_dictionaries({"b": st.none() | TEXTS, "a": st.none() | st.lists(NUMBERS, max_size=3)}),
    ),
    "map": Kind(
        pa.map_(pa.string(), pa.int32()),
        st.dictionaries(st.text(max_size=3), NUMBERS, max_size=3).map(lambda found: list(found.items())),
        lambda pairs: Of("map", pairs),
    ),
}


@dataclass(frozen=True)
class Table:
    """Rows of values as Arrow takes them; columns by the names of their kinds."""

    columns: Mapping[str, str]
    values: Sequence[Mapping[str, Any]]

    @property
    def arrow(self) -> pa.Table:
        kinds = {name: KINDS[kind].arrow for name, kind in self.columns.items()}
        return pa.table({n: pa.array([row[n] for row in self.values], kind) for n, kind in kinds.items()})

    @property
    def rows(self) -> list[dict[str, Any]]:
        means = {name: KINDS[kind].means for name, kind in self.columns.items()}
        return [{n: None if v is None else means[n](v) for n, v in row.items()} for row in self.values]


def tables_of(columns: Mapping[str, str], most_rows: int = 6) -> st.SearchStrategy[Table]:
    row = st.fixed_dictionaries({name: st.none() | KINDS[kind].values for name, kind in columns.items()})
    return st.lists(row, max_size=most_rows).map(lambda rows: Table(columns, rows))


NAMES = st.sampled_from(["a", "b", "ab", "é", "a b"])  # DuckDB takes A for a
COLUMNS = st.dictionaries(NAMES, st.sampled_from(list(KINDS)), min_size=1, max_size=4)
TABLES = COLUMNS.flatmap(tables_of)


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def fast(connection: DuckDBPyConnection, arrow: pa.Table) -> TableDigest:
    connection.register("rows", arrow)
    return digests(connection, "rows", [""])[""]


# --- the laws ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["what"] for vector in VECTORS])
def test_the_digest_is_frozen(connection: DuckDBPyConnection, vector: Mapping[str, Any]) -> None:
    assert str(digests(connection, f"({sql_of(vector)})", [""])[""]) == vector["digest"]


def sql_of(vector: Mapping[str, Any]) -> str:
    """SQL of a vector's rows. A value is a text that DuckDB reads as a value of the column's type."""
    columns = [(identifier(name), kind) for name, kind in vector["columns"].items()]
    rows = [
        ", ".join(f"{_sql(text)}::{kind} as {name}" for text, (name, kind) in zip(row, columns, strict=True))
        for row in vector["rows"] or [[None] * len(columns)]
    ]
    selects = " union all ".join(f"select {row}" for row in rows)
    return selects if vector["rows"] else f"from ({selects}) limit 0"


def _sql(text: str | None) -> str:
    return "null" if text is None else literal(text)


def test_no_two_vectors_are_one() -> None:
    assert len({vector["digest"] for vector in VECTORS}) == len(VECTORS)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=25, database=None)
@given(data=st.data())
def test_values_of_any_type_have_the_digest_of_the_page(
    connection: DuckDBPyConnection, kind: str, data: st.DataObject
) -> None:
    table = data.draw(tables_of({"v": kind}))
    assert str(fast(connection, table.arrow)) == table_digest(table.rows)


@settings(deadline=None, max_examples=60, database=None)
@given(table=TABLES)
def test_tables_have_the_digest_of_the_page(connection: DuckDBPyConnection, table: Table) -> None:
    assert str(fast(connection, table.arrow)) == table_digest(table.rows)


ROWS = st.lists(st.tuples(st.none() | st.integers(-1, 1), st.none() | st.integers(-1, 1)), max_size=3)


@settings(deadline=None, max_examples=100, database=None)
@given(one=ROWS, other=ROWS)
def test_tables_are_equal_where_their_rows_are_and_only_there(
    connection: DuckDBPyConnection, one: Sequence[tuple[Any, Any]], other: Sequence[tuple[Any, Any]]
) -> None:
    """A few values in a few rows, so that both happen."""
    first, second = (
        fast(connection, pa.table({n: pa.array([row[i] for row in rows], pa.int8()) for i, n in enumerate("ab")}))
        for rows in (one, other)
    )
    assert (first == second) == (Counter(one) == Counter(other))


@settings(deadline=None, max_examples=60, database=None)
@given(table=TABLES, data=st.data())
def test_a_swap_of_values_between_two_rows_changes_the_digest(
    connection: DuckDBPyConnection, table: Table, data: st.DataObject
) -> None:
    assume(table.values)
    first, second = (data.draw(st.integers(0, len(table.values) - 1)) for _ in range(2))
    name = data.draw(st.sampled_from(list(table.columns)))
    values = [dict(row) for row in table.values]
    values[first][name], values[second][name] = values[second][name], values[first][name]
    swapped = Table(table.columns, values)
    is_same = Counter(map(_hashes, swapped.rows)) == Counter(map(_hashes, table.rows))
    assert (fast(connection, swapped.arrow) == fast(connection, table.arrow)) == is_same


def _hashes(row: Mapping[str, Any]) -> frozenset[tuple[str, int]]:
    return frozenset((name, value_hash(value)) for name, value in row.items())


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=10, database=None)
@given(data=st.data())
def test_a_swap_of_values_between_two_columns_changes_the_digest(
    connection: DuckDBPyConnection, kind: str, data: st.DataObject
) -> None:
    table = data.draw(tables_of({"a": kind, "b": kind}, 3))
    some = data.draw(st.lists(st.booleans(), min_size=len(table.values), max_size=len(table.values)))
    values = [
        {"a": row["b"], "b": row["a"]} if is_swapped else row
        for row, is_swapped in zip(table.values, some, strict=True)
    ]
    swapped = Table(table.columns, values)
    is_same = Counter(map(_hashes, swapped.rows)) == Counter(map(_hashes, table.rows))
    assert (fast(connection, swapped.arrow) == fast(connection, table.arrow)) == is_same


@settings(deadline=None, max_examples=40, database=None)
@given(table=TABLES, cut=st.integers(0, 6))
def test_parts_add_up_and_can_be_taken_away(connection: DuckDBPyConnection, table: Table, cut: int) -> None:
    whole, head, tail = (
        fast(connection, part) for part in (table.arrow, table.arrow.slice(0, cut), table.arrow.slice(cut))
    )
    assert head + tail == whole
    assert (whole - head, whole - tail) == (tail, head)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=10, database=None)
@given(data=st.data(), start=st.integers(0, 5), length=st.integers(0, 5))
def test_a_slice_of_an_array_has_the_hashes_of_its_values(
    kind: str, data: st.DataObject, start: int, length: int
) -> None:
    array = data.draw(tables_of({"v": kind})).arrow["v"].combine_chunks()
    assert hashes(array.slice(start, length)).tolist() == hashes(array).tolist()[start : start + length]
