"""Equal rows have equal digests, whatever their order and physical types; different rows have different ones."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.manifests.profile import ColumnProfile
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.warehouse.digest import digests, summaries

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
        ["'nan'::double", "-('nan'::double)", "'nan'::float"],
        ["'2013-03-31 01:30:00+01'::timestamptz", "'2013-03-31 00:30:00+00'::timestamptz"],
        [
            "'2013-03-31 01:30:00'::timestamp",
            "'2013-03-31 01:30:00'::timestamp_s",
            "'2013-03-31 01:30:00'::timestamp_ns",
        ],
        ["null", "null::varchar", "null::double", "null::int[]"],
        ["'a'", "'a'::enum('a', 'b')"],
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
        ['2013-01-02'::timestamptz]
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


def test_a_profile_is_made_in_the_same_look_as_the_digest(connection: DuckDBPyConnection) -> None:
    rows = (
        "(select * from (values (1, 0.5::double, 'x', date '2024-02-29', 'p'), (null, 'nan'::double, 'y', null, 'p'), "
        "(3, -1.5, repeat('z', 99), date '2024-01-01', 'q')) as t(n, share, secret, day, _dp_partition))"
    )
    found = summaries(connection, rows, ["p", "q", "r"], {"n", "share", "day"})
    assert {part: summary.digest for part, summary in found.items()} == digests(connection, rows, ["p", "q", "r"])
    assert found["p"].profile == (
        ColumnProfile("n", 1, 1, 1, 1),
        ColumnProfile("share", 0, 2, 0.5, 0.5),
        ColumnProfile("secret", 0, 2),
        ColumnProfile("day", 1, 1, "2024-02-29", "2024-02-29"),
    )
    assert found["r"].profile == ()
    (text,) = summaries(connection, "(select repeat('z', 99) as t)", [""], {"t"})[""].profile
    assert text.maximum == "z" * 64


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1.50::decimal(9,2)", 1.5),
        ("true", "true"),
        ("'-inf'::double", None),
        ("[1, 2]", "[1, 2]"),
        ("{'a': 1}", "{'a': 1}"),
        ("time '07:00'", "07:00:00"),
        ("'ab'::blob", "ab"),
        ("170141183460469231731687303715884105727::hugeint", 2**127 - 1),
        ("timestamptz '2024-01-01 00:00:00+00'", "2024-01-01 00:00:00+00"),
    ],
)
def test_any_type_has_a_profile(connection: DuckDBPyConnection, value: str, shown: object) -> None:
    (column,) = summaries(connection, f"(select {value} as v)", [""], {"v"})[""].profile
    assert (column.nulls, column.distinct, column.minimum, column.maximum) == (0, 1, shown, shown)
