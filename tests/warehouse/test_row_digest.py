"""The digest is that of `docs/concepts/row-digest.md`, and what is added, taken away or swapped shows in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.row_hash.values import hashes
from tests.warehouse.plain_digest import table_digest, value_hash
from tests.warehouse.typed_tables import KINDS, TABLES, Table, tables_of

VECTORS = json.loads((Path(__file__).with_name("frozen") / "row_digests.json").read_text())


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def fast(connection: DuckDBPyConnection, arrow: pa.Table) -> TableDigest:
    connection.register("rows", arrow)
    return digests(connection, "rows", [""])[""]


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
@settings(deadline=None, max_examples=12, database=None)
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
@settings(deadline=None, max_examples=5, database=None)
@given(data=st.data())
def test_a_swap_of_values_between_two_columns_changes_the_digest(
    connection: DuckDBPyConnection, kind: str, data: st.DataObject
) -> None:
    table = data.draw(tables_of({"a": kind, "b": kind}, 3))
    preview = data.draw(st.lists(st.booleans(), min_size=len(table.values), max_size=len(table.values)))
    values = [
        {"a": row["b"], "b": row["a"]} if is_swapped else row
        for row, is_swapped in zip(table.values, preview, strict=True)
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
@settings(deadline=None, max_examples=20, database=None)
@given(data=st.data(), start=st.integers(1, 3), length=st.integers(0, 3))
def test_a_slice_of_an_array_has_the_hashes_of_its_values(
    kind: str, data: st.DataObject, start: int, length: int
) -> None:
    array = data.draw(tables_of({"v": kind}, least_rows=6)).arrow["v"].combine_chunks()
    assert hashes(array.slice(start, length)).tolist() == hashes(array).tolist()[start : start + length]
