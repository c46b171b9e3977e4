"""Equal rows have equal digests, whatever their order and physical types; different rows have different ones."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from math import inf, nextafter

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.warehouse import digest as digest_module
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.row_hash.rows import row_hashes
from dataops_platform.warehouse.row_hash.values import hashes

Row = tuple[str | None, float | None, int | None]
ROWS = st.lists(st.tuples(st.none() | st.text(max_size=5), st.none() | st.floats(), st.none() | st.integers(-9, 9)))


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set TimeZone = 'UTC'")
        yield opened


def digest(connection: DuckDBPyConnection, select: str) -> TableDigest:
    return digests(connection, f"({select})", [""])[""]


@pytest.mark.parametrize(
    "same",
    [
        [
            "1::tinyint",
            "1::bigint",
            "1::uhugeint",
            "1.0::float",
            "1.0::double",
            "1.00::decimal(9,2)",
            "1::decimal(9,0)",
        ],
        ["0.0::double", "-0.0::double", "-0.0::float", "0", "0.000::decimal(9,3)"],
        ["-12.5::double", "-12.5::float", "-12.50::decimal(9,2)"],
        ["100", "1e2::double", "100.00::decimal(9,2)"],
        [
            "100000000000000000",
            "1e17::double",
            "100000000000000000::decimal(38,0)",
            "'100000000000000000'::decimal(38,10)",
        ],
        [
            "9007199254740993",
            "9007199254740993::ubigint",
            "9007199254740993::hugeint",
            "9007199254740993::decimal(18,1)",
        ],
        ["18446744073709551615::ubigint", "18446744073709551615::hugeint", "18446744073709551615::uhugeint"],
        ["'nan'::double", "-('nan'::double)", "'nan'::float"],
        ["'2013-03-31 01:30:00+01'::timestamptz", "'2013-03-31 00:30:00+00'::timestamptz"],
        [
            "'2013-03-31 01:30:00'::timestamp",
            "'2013-03-31 01:30:00'::timestamp_s",
            "'2013-03-31 01:30:00'::timestamp_ns",
        ],
        ["null", "null::varchar", "null::double", "null::int[]"],
        ["'a'", "'a'::enum('a', 'b')"],
        ["'07:30:00'::time", "'07:30:00'::time_ns"],
        ["'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000001'::uuid"],
        ["[1, null]", "[1.0::double, null]", "[1.00, null]::decimal(9,2)[2]"],
        ["{'a': 1, 'b': 'x'}", "{'b': 'x', 'a': 1.0::double}"],
        ["'101'", "'101'::bit"],
        ["[[12::uhugeint]]::varchar", "[[12::uhugeint]]"],
    ],
)
def test_equal_values_of_other_types_are_equal(connection: DuckDBPyConnection, same: list[str]) -> None:
    assert len({digest(connection, f"select {value} as v") for value in same}) == 1


def test_different_values_are_different(connection: DuckDBPyConnection) -> None:
    values = """
        null | '' | '~' | '~~' | 'null' | ' ' | 'nan' | '0' | '0:' | '1:a' | 'a' | 'A' | 'a' || chr(0) | true | false
        0 | 1 | -1 | 0.1::double | 0.1::float | 0.10::decimal(9,2) | 0.01::decimal(9,2) | 9007199254740993
        9007199254740992 | 1e300::double | 'nan'::double | 'inf'::double | '-inf'::double
        '2013-01-01' | '2013-01-01'::date | '2013-01-01'::timestamp | '2013-01-01'::timestamptz | '00:00:00'::time
        '2013-01-01 00:00:00.000000001'::timestamp_ns | '1913-01-01'::timestamp | 'infinity'::timestamp
        '-infinity'::timestamp | interval '1 day' | '\\x01'::blob | [1.50] | ['a'] | ['a', null] | ['a', 'null']
        ['a, b'] | ['a', 'b'] | [['a'], ['b']] | {'a': 1} | {'b': 1} | ['2013-01-01'::timestamp]
        ['2013-01-02'::timestamptz] | 0.30000000000000004::double | 0.3::double | 9007199254740993::decimal(38,20)/2
        18446744073709551616::hugeint | -1::hugeint - 18446744073709551616 | 1.8446744073709551616::decimal(38,19)
        map {'a': 1} | [{'key': 'a', 'value': 1}] | [] | [null] | [[]] | {'a': null} | interval '1 month'
        interval '30 days' | interval '24 hours' | 'infinity'::date | '\\x01' | '2013-01-01T00:00:00'
    """
    by_digest: dict[TableDigest, str] = {}
    for value in re.split(r" \| |\n", values.strip()):
        found = digest(connection, f"select {value} as v")
        assert found not in by_digest, f"{value} and {by_digest[found]} have one digest"
        by_digest[found] = value


@pytest.mark.parametrize(
    "kind, pieces",
    [
        ("{}", ["'a' || chr(31) || '1:b'", "'a'", "'1:b' || chr(31) || 'a'", "null", "'~'", "''"]),
        ("[{}]", ["'x] ' || chr(31) || ' [y'", "'x'", "'y'"]),
        ("{{'k': {}}}", ["'x}' || chr(31) || '{''k'': y'", "'x'", "'y'"]),
        ("{}::blob", ["'a' || chr(31) || 'b'", "'a'", "'b'"]),
    ],
)
def test_neighbours_cannot_run_together(connection: DuckDBPyConnection, kind: str, pieces: list[str]) -> None:
    pairs = list(itertools.product([kind.format(piece) for piece in pieces], repeat=2))
    found = {digest(connection, f"select {first} as a, {second} as b") for first, second in pairs}
    assert len(found) == len(pairs)


def test_rows_are_counted_not_only_told_apart(connection: DuckDBPyConnection) -> None:
    one, two, three = (digest(connection, f"select 7 as v from range({n})") for n in (1, 2, 3))
    assert len({one, two, three, TableDigest()}) == 4
    assert one + one == two
    assert digest(connection, "select 7 as v where false") == TableDigest()


def test_order_of_rows_and_columns_and_bookkeeping_do_not_count(connection: DuckDBPyConnection) -> None:
    plain = digest(connection, "select * from (values (1, 'x'), (2, 'y')) t(a, b)")
    assert digest(connection, "select b, a from (values (2, 'y'), (1, 'x')) t(a, b)") == plain
    assert digest(connection, "select *, uuid() as _dp_row from (values (1, 'x'), (2, 'y')) t(a, b)") == plain
    assert digest(connection, "select * from (values (1, 'y'), (2, 'x')) t(a, b)") != plain
    assert digest(connection, "select 1 as _dp_only") == digest(connection, "select 2 as _dp_only")


def test_a_renamed_column_is_another_content(connection: DuckDBPyConnection) -> None:
    names = ["a", "b", "ab"]
    assert len({digest(connection, f"select 1 as {name}") for name in names}) == 3
    assert digest(connection, "select 1 as a, 2 as b") != digest(connection, "select 2 as a, 1 as b")


def test_the_sessions_time_zone_does_not_count(connection: DuckDBPyConnection) -> None:
    with duckdb.connect() as other:
        other.execute("set TimeZone = 'Asia/Kolkata'")
        select = "select '2013-03-31 01:30:00+01'::timestamptz as v"
        assert digest(other, select) == digest(connection, select)


@settings(deadline=None, max_examples=30)
@given(parts=st.lists(ROWS, min_size=1, max_size=3), seed=st.randoms())
def test_the_digests_of_parts_add_up_to_the_whole_in_any_order(parts: list[list[Row]], seed: object) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t (note varchar, share double, n int, _dp_partition varchar)")
        rows = [(*row, str(number)) for number, part in enumerate(parts) for row in part]
        seed.shuffle(rows)  # type: ignore[attr-defined]
        for row in rows:
            connection.execute("insert into t values (?, ?, ?, ?)", row)
        by_part = digests(connection, "t", [str(number) for number in range(len(parts))])
        assert sum(by_part.values(), TableDigest()) == digest(connection, "from t")
        assert [found.rows for found in by_part.values()] == [len(part) for part in parts]


@settings(deadline=None, max_examples=200, database=None)
@given(
    st.integers(-(10**38) + 1, 10**38 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(-999, 999, places=4)
)
def test_a_number_has_one_hash_in_every_type_that_can_hold_it(number: int | float | Decimal) -> None:
    exact = Fraction(number)
    found = {hashes(array).tolist()[0] for array in _holding(exact)}
    assert len(found) == 1
    beside = Fraction(nextafter(float(exact), inf)) if abs(exact) < 2**1000 else exact / 2
    assert found.isdisjoint(hashes(array).tolist()[0] for array in _holding(beside + (beside == exact)))


def _holding(number: Fraction) -> Iterator[pa.Array]:
    """Arrays of one value, of each type that can hold it exactly."""
    if number.denominator == 1:
        bounds = {pa.int8(): (-(2**7), 2**7), pa.int64(): (-(2**63), 2**63), pa.uint64(): (0, 2**64)}
        yield from (pa.array([int(number)], kind) for kind, (low, high) in bounds.items() if low <= number < high)
    for kind, numpy_type in ((pa.float32(), np.float32), (pa.float64(), np.float64)):
        with np.errstate(over="ignore"):
            near = numpy_type(float(number))
        if np.isfinite(near) and Fraction(float(near)) == number:
            yield pa.array([near], kind)
    for scale in (0, 4, 18):
        unscaled = number * 10**scale
        if unscaled.denominator == 1 and abs(unscaled) < 10**38:
            with localcontext(prec=40):
                yield pa.array([Decimal(int(unscaled)).scaleb(-scale)], pa.decimal128(38, scale))


WORDS = ["a", None, "", "a", "a longer text than twelve bytes"]
SAME = {
    "texts": [
        pa.array(WORDS),
        pa.array(WORDS, pa.large_string()),
        pa.array(WORDS, pa.string_view()),
        pa.array(WORDS).dictionary_encode(),
        pa.array(WORDS).dictionary_encode("encode"),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, 4], pa.uint16()), pa.array(WORDS)),
        pa.ExtensionArray.from_storage(pa.json_(), pa.array(WORDS)),
    ],
    "bytes": [
        pa.array([b"ab", None, b"cd"], kind)
        for kind in (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2))
    ],
    "numbers": [
        pa.array([1, None, 3], pa.int8()),
        pa.array([1, None, 3], pa.uint32()),
        pa.array(np.array([1, 0, 3], np.float16), mask=np.array([False, True, False])),
        pa.array([Decimal(1), None, Decimal(3)], pa.decimal256(50, 4)),
        pa.array([Decimal(1), None, Decimal(3)], pa.decimal32(5, 1)),
        pa.array([1, None, 3], pa.int64()).dictionary_encode(),
    ],
    "days": [pa.array([1, None], pa.date32()), pa.array([86_400_000, None], pa.date64())],
    "times": [
        pa.array([1, None], pa.time32("s")),
        pa.array([1000, None], pa.time32("ms")),
        pa.array([10**6, None], pa.time64("us")),
        pa.array([10**9, None], pa.time64("ns")),
    ],
    "lists": [
        pa.array([[1, 2], None, [None, 3]], kind)
        for kind in (
            pa.list_(pa.int32()),
            pa.large_list(pa.float64()),
            pa.list_(pa.int8(), 2),
            pa.list_view(pa.int32()),
            pa.large_list_view(pa.int64()),
        )
    ],
    "nulls": [
        pa.nulls(2),
        pa.nulls(2, pa.int64()),
        pa.nulls(2, pa.string()).dictionary_encode(),
        pa.nulls(2, pa.list_(pa.int8())),
        pa.nulls(2, pa.struct({"a": pa.int8()})),
    ],
}


@pytest.mark.parametrize("what", SAME)
def test_the_encoding_of_arrow_does_not_count(what: str) -> None:
    found = [hashes(array).tolist() for array in SAME[what]]
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize("arrow", [pa.union([pa.field("a", pa.int8())], "sparse"), pa.duration("s")], ids=str)
def test_a_type_without_a_hash_is_refused(arrow: pa.DataType) -> None:
    array = (
        pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1], pa.int8())])
        if pa.types.is_union(arrow)
        else pa.array([1], arrow)
    )
    with pytest.raises(TypeError, match="have no digest"):
        row_hashes({"v": array}, 1)


def test_batches_and_threads_do_not_count(connection: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """20 000 rows of three partitions, whose rows lie between one another."""
    rows = (
        "(select i, i % 7 = 0 as share, case when i % 5 > 0 then 'note ' || i end as note, range(i % 3) as some, "
        "['jan', 'feb', 'mar'][i % 3 + 1] as _dp_partition from range(20000) t(i))"
    )
    parts = ["jan", "feb", "mar", "apr"]
    expected = digests(connection, rows, parts)
    assert [digest.rows for digest in expected.values()] == [6667, 6667, 6666, 0]
    assert sum(expected.values(), TableDigest()) == digests(connection, rows, [""])[""]
    for part in parts:
        assert digests(connection, f"(from {rows} where _dp_partition = '{part}')", [""])[""] == expected[part]
    for size, threads in ((2048, 1), (4096, 2), (1 << 20, 2)):
        monkeypatch.setattr(digest_module, "BATCH_ROWS", size)
        connection.execute(f"set threads = {threads}")
        assert digests(connection, rows, parts) == expected


def test_an_error_on_the_way_is_one_of_duckdb(connection: DuckDBPyConnection) -> None:
    connection.execute("set threads = 1")  # of several threads one may report that another one's error stopped it
    late = "(select case when i = 900000 then error('damaged') else i end as v from range(1000000) t(i))"
    with pytest.raises(duckdb.Error, match="damaged"):
        digests(connection, late, [""])
    assert digests(connection, "(select 1 as v)", [""])[""].rows == 1, "the connection can be used again"
