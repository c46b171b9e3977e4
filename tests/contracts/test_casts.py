"""A value becomes its contracted type without rounding and without guessing, or the row is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

UTC = dt.UTC
DAY = dt.date(2013, 1, 31)
MOMENT = dt.datetime(2013, 1, 31, 5, 6, 7)
Good = dict[str, Any]
TEXTS: list[tuple[str, str, Good, list[str]]] = [
    (
        "integer",
        "bigint",
        {"0": 0, "7": 7, "-7": -7, "+7": 7, "007": 7, "-0": 0, "9223372036854775807": 2**63 - 1},
        ["", " 1", "1 ", "1\n", "1.5", "1.0", "1.", "1e3", "0x10", "1_000", "1,000", "+-1", "--1", "1-2", "-", "٣",
         "nan", "inf", "NULL", "9223372036854775808", "true", "2013-01-01"],
    ),
    ("integer", "tinyint", {"127": 127, "-128": -128}, ["128", "-129", "1.0"]),
    (
        "number",
        "double",
        {"0": 0.0, "1.5": 1.5, "-1.5": -1.5, "+.5": 0.5, "5.": 5.0, "1e3": 1000.0, "1.5E-3": 0.0015, "007.50": 7.5,
         "0.1": 0.1, "1e308": 1e308},
        ["", " 1.5", "1.5 ", "1,5", "1_000", "0x10", ".", "e", "1e", "1e5e5", "--1", "nan", "NaN", "inf", "-Infinity",
         "1e400", "-1e400", "1.5.2", "1.5\n", "12%"],
    ),
    (
        "number",
        "decimal(5,2)",
        {"1.5": Decimal("1.50"), "-123.45": Decimal("-123.45"), "1.500": Decimal("1.50"), ".5": Decimal("0.50"),
         "5.": Decimal("5.00"), "007": Decimal("7.00"), "+1": Decimal("1.00")},
        ["", "1.005", "1.999", "0.001", "1000", "1e1", "1.5 ", "nan", ".", "+", "1_0.5", "1,5"],
    ),
    (
        "boolean",
        "boolean",
        {"true": True, "FALSE": False, "t": True, "1": True, "0": False, "yes": True, "no": False},
        ["", "2", " true", "on", "wahr", "1.0"],
    ),
    (
        "date",
        "date",
        {"2013-01-31": dt.date(2013, 1, 31), "2012-02-29": dt.date(2012, 2, 29), "2013-1-5": dt.date(2013, 1, 5)},
        ["", "2013-02-30", "2013-02-29", "2013-13-01", "20130131", "2013/01/31", "31.01.2013", "01/31/2013", "2013-01",
         " 2013-01-31", "2013-01-31 ", "2013-01-31x", "2013-01-31 05:00", "2013-01-31T00:00:00", "13-01-31", "epoch",
         "infinity", "today", "2013-01-31 (BC)", "0", "+2013-01-31"],
    ),
    (
        "timestamp",
        "timestamp",
        {"2013-01-31 05:06:07": MOMENT, "2013-01-31T05:06:07": MOMENT, "2013-01-31T05:06:07Z": MOMENT,
         "2013-01-31 05:06:07+00": MOMENT,
         "2013-01-31 05:06": dt.datetime(2013, 1, 31, 5, 6), "2013-01-31": dt.datetime(2013, 1, 31),
         "2013-01-31 5:06:07.123456": dt.datetime(2013, 1, 31, 5, 6, 7, 123456),
         "2013-01-31 05:06:07.120000000": dt.datetime(2013, 1, 31, 5, 6, 7, 120000)},
        ["", "2013-02-30 05:00:00", "2013-01-31 24:00:00", "2013-01-31 05:60:00", "2013-01-31 05:06:60", "epoch",
         "2013-01-31 05:06:07+02", "2013-01-31T05:06:07-05:00", "2013-01-31 05:06:07 UTC", "2013-01-31 05",
         "2013-01-31 05:06:07.1234567", "2013-01-31 05:06:07 PM", " 2013-01-31 05:06:07", "2013-01-31x", "infinity"],
    ),
    (
        "timestamp",
        "timestamptz",
        {"2013-01-31 05:06:07Z": MOMENT.replace(tzinfo=UTC),
         "2013-01-31T05:06:07+02": dt.datetime(2013, 1, 31, 3, 6, 7, tzinfo=UTC),
         "2013-01-31 05:06:07-05:30": dt.datetime(2013, 1, 31, 10, 36, 7, tzinfo=UTC)},
        ["", "2013-01-31 05:06:07", "2013-01-31", "2013-01-31 05:06:07 America/New_York", "2013-02-30 05:06:07Z"],
    ),
    (
        "time",
        "time",
        {"05:06:07": dt.time(5, 6, 7), "5:06": dt.time(5, 6), "23:59:59.5": dt.time(23, 59, 59, 500000)},
        ["", "24:00:00", "25:00", "05:60", "5", "517", "05:06:07+02", "05:06 PM", " 05:06", "2013-01-31 05:06:07"],
    ),
    ("string", "varchar", {"": "", " a ": " a ", "1": "1", "nan": "nan", "é\n": "é\n"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("logical", "physical", "good", "bad"), TEXTS, ids=[f"{t[0]}-{t[1]}" for t in TEXTS])
def test_a_text_becomes_a_value_only_when_it_is_written_as_one(
    contract: Callable[..., Any], judge: Callable[..., Any], logical: str, physical: str, good: Good, bad: list[str]
) -> None:
    found = contract(f"{{name: a, logicalType: {logical}, physicalType: '{physical}'}}")
    judged = judge(found, {"a": [*good, *bad, None]})
    assert judged.values == [(value,) for value in good.values()] + [(None,)] * (len(bad) + 1)
    assert judged.rules == [None] * len(good) + [["a:type"]] * len(bad) + [None]
    assert [(a.rows_in, a.rows_audited, a.rows_refused) for a in judged.audits] == [
        (len(good) + len(bad) + 1, len(good) + 1, len(bad))
    ]


VALUES: list[tuple[str, str, pa.DataType, list[Any], list[Any], list[Any]]] = [
    ("integer", "bigint", pa.float64(), [1.0, -2.0, 1e15], [1, -2, 10**15], [1.5, 1e300, float("nan"), float("inf")]),
    ("integer", "bigint", pa.decimal128(10, 2), [Decimal("1.00")], [1], [Decimal("1.50"), Decimal("2.01")]),
    ("integer", "smallint", pa.int64(), [7, -32768], [7, -32768], [32768, 2**40]),
    ("integer", "bigint", pa.timestamp("us"), [], [], [MOMENT]),
    ("number", "double", pa.int64(), [1, -2], [1.0, -2.0], []),
    ("number", "double", pa.float64(), [1.5, 0.1, -0.0], [1.5, 0.1, 0.0], [float("nan"), float("inf"), -float("inf")]),
    ("number", "real", pa.float64(), [1.5, 0.5], [1.5, 0.5], [1e300, float("nan")]),
    (
        "number",
        "decimal(5,2)",
        pa.float64(),
        [1.5, 0.1],
        [Decimal("1.50"), Decimal("0.10")],
        [1.005, 1e9, float("nan")],
    ),
    ("number", "decimal(5,2)", pa.decimal128(10, 4), [Decimal("1.5000")], [Decimal("1.50")], [Decimal("1.0050")]),
    ("boolean", "boolean", pa.int64(), [0, 1], [False, True], [2, -1]),
    ("boolean", "boolean", pa.bool_(), [True, False], [True, False], []),
    ("date", "date", pa.date32(), [DAY], [DAY], []),
    ("date", "date", pa.timestamp("us"), [dt.datetime(2013, 1, 31)], [DAY], [MOMENT]),
    ("date", "date", pa.int64(), [], [], [20130131, 0]),
    ("timestamp", "timestamp", pa.date32(), [DAY], [dt.datetime(2013, 1, 31)], []),
    ("timestamp", "timestamp", pa.timestamp("ns"), [MOMENT], [MOMENT], []),
    ("timestamp", "timestamp", pa.timestamp("us", "UTC"), [MOMENT.replace(tzinfo=UTC)], [MOMENT], []),
    ("time", "time", pa.time64("us"), [dt.time(5, 6)], [dt.time(5, 6)], []),
    ("time", "time", pa.timestamp("us"), [], [], [MOMENT]),
    ("string", "varchar", pa.int64(), [1], ["1"], []),
    ("string", "varchar", pa.float64(), [1.5], ["1.5"], []),
    ("integer", "bigint", pa.null(), [], [], []),
    ("date", "date", pa.list_(pa.int64()), [], [], [[1, 2]]),
]


@pytest.mark.parametrize(
    ("logical", "physical", "given", "good", "expected", "bad"), VALUES, ids=[f"{v[2]}-to-{v[1]}" for v in VALUES]
)
def test_a_typed_value_is_taken_only_when_it_comes_back_unchanged(
    contract: Callable[..., Any],
    judge: Callable[..., Any],
    logical: str,
    physical: str,
    given: pa.DataType,
    good: list[Any],
    expected: list[Any],
    bad: list[Any],
) -> None:
    found = contract(f"{{name: a, logicalType: {logical}, physicalType: '{physical}'}}")
    judged = judge(found, pa.table({"a": pa.array([*good, *bad, None], given)}))
    assert judged.values == [(value,) for value in expected] + [(None,)] * (len(bad) + 1)
    assert judged.rules == [None] * len(good) + [["a:type"]] * len(bad) + [None]


def test_a_nanosecond_is_not_cut_off(contract: Callable[..., Any], judge: Callable[..., Any]) -> None:
    odd = pa.array([1_000_000_001, 1_000_001_000], pa.timestamp("ns"))
    judged = judge(contract("{name: a, logicalType: timestamp}"), pa.table({"a": odd}))
    assert judged.rules == [["a:type"], None]
    assert judged.values == [(None,), (dt.datetime(1970, 1, 1, 0, 0, 1, 1),)]


def test_a_time_of_polars_is_a_time_unless_it_has_nanoseconds(
    contract: Callable[..., Any], judge: Callable[..., Any]
) -> None:
    given = pa.array([25_200_000_000_000, 25_200_500_000_000, 25_200_000_000_001], pa.time64("ns"))
    judged = judge(contract("{name: a, logicalType: time}"), pa.table({"a": given}))
    assert judged.rules == [None, None, ["a:type"]]
    assert judged.values == [(dt.time(7),), (dt.time(7, 0, 0, 500_000),), (None,)]


def test_words_for_null_are_null_only_where_they_are_named_and_are_texts(
    contract: Callable[..., Any], judge: Callable[..., Any]
) -> None:
    found = contract("{name: n, logicalType: integer}", "{name: t, logicalType: string, required: true}")
    columns = {"n": ["NA", "", "na", "1"], "t": ["NA", "", "x", "NaN"]}
    named = judge(found, columns, null_values=["NA", ""])
    assert named.values == [(None, None), (None, None), (None, "x"), (1, "NaN")]
    assert named.rules == [["t:required"], ["t:required"], ["n:type"], None]
    unnamed = judge(found, columns)
    assert unnamed.values == [(None, "NA"), (None, ""), (None, "x"), (1, "NaN")]
    assert unnamed.rules == [["n:type"], ["n:type"], ["n:type"], None]
    numbers = judge(found, pa.table({"n": [1, 9], "t": ["a", "b"]}), null_values=["9", "it's"])
    assert numbers.values == [(1, "a"), (9, "b")]
