"""What a test of a contract says: nothing when it holds, else the rules, their counts and a few rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.testing import assert_breaks, assert_holds
from tests.fixtures.contract_head import contract_head

CONTRACT = (
    contract_head()
    + """\
      - {name: order, logicalType: integer, primaryKey: true}
      - {name: customer, logicalType: string, relationships: [{to: customers.id}]}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
    quality:
      - {type: library, metric: rowCount, mustBeGreaterThan: 1}
      - {name: cheap, engine: duckdb, implementation: amount < 100, severity: warning}
"""
)
KNOWN = {"customers": [{"id": "c1"}]}
GOOD = [{"order": 1, "customer": "c1", "amount": 5.0}, {"order": 2, "customer": None, "amount": 0}]
BAD = [
    {"order": 1, "customer": "c1", "amount": 5},
    {"order": 2, "customer": "c2", "amount": -3},
    {"order": 2, "customer": "c1", "amount": None},
    {"order": 4, "customer": "c1", "amount": 700},
]
BROKEN = {"amount:minimum": 1, "amount:required": 1, "primary_key": 2, "customer:relationship": 1, "cheap": 1}


def said(rows: Any, **more: Any) -> str:
    """What `assert_holds` has against rows."""
    with pytest.raises(AssertionError) as failed:
        assert_holds(CONTRACT, rows, references=KNOWN, **more)
    return str(failed.value)


def forms(rows: list[dict[str, Any]], folder: Path) -> list[Any]:
    """The same rows in every form a test may have them in."""
    frame = pl.DataFrame(rows, schema={"order": pl.Int64, "customer": pl.String, "amount": pl.Float64})
    frame.write_csv(folder / "orders.csv")
    pq.write_table(frame.to_arrow(), folder / "orders.parquet")
    tables = [frame, frame.lazy(), frame.to_arrow(), pd.DataFrame(rows)]
    return [rows, *tables, folder / "orders.csv", str(folder / "orders.parquet")]


def test_rows_of_every_form_are_judged_alike(tmp_path: Path) -> None:
    for rows in forms(GOOD, tmp_path):
        assert_holds(CONTRACT, rows, references=KNOWN)
    for rows in forms(BAD, tmp_path):
        assert_breaks(CONTRACT, rows, BROKEN, references=KNOWN)
        assert "3 of 4 rows" not in said(rows)


def test_a_contract_is_a_path_a_text_or_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    for contract in (path, str(path), CONTRACT, load_contract(path)):
        assert_holds(contract, GOOD, references=KNOWN)
    with pytest.raises(UsedWrongly, match=r"DP-Y015 contract\.odcs\.yaml:8:.*did you mean 'properties'"):
        assert_holds(CONTRACT.replace("properties", "propertys"), GOOD)
    with pytest.raises(UsedWrongly, match=r"DP-C056 .* customers, whose rows are not passed"):
        assert_holds(CONTRACT, GOOD)
    with pytest.raises(
        UsedWrongly, match=r"DP-C017 .* refers to customers\.id, but table customers has no such column"
    ):
        assert_holds(CONTRACT, GOOD, references={"customers": [{"idd": 1}]})


def test_what_does_not_hold_is_said_in_a_few_lines() -> None:
    assert said(BAD).splitlines() == [
        "orders 1.0.0 is broken: 2 of 4 rows refused",
        "  customer:relationship: 1",
        "  amount:required: 1",
        "  amount:minimum: 1",
        "  primary_key: 2",
        "  rows[1] breaks customer:relationship, amount:minimum, primary_key: customer='c2', amount=-3, order=2",
        "  rows[2] breaks amount:required, primary_key: amount=None, order=2",
    ]
    many = [{"order": n, "customer": "c1", "amount": -n} for n in range(1, 50)]
    assert len(said(many).splitlines()) == 1 + 3 + 5, "a title, the rules and what is said of all, five rows"
    assert "all rows together: rowCount is 0, mustBeGreaterThan 1" in said([])


def test_a_line_of_a_file_that_is_no_row_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order,customer,amount\n1,c1,5\n2\n3,,x\n4,c1,1\n")
    assert said(path).splitlines() == [
        "orders 1.0.0 is broken: 1 of 3 rows refused",
        "  amount:type: 1",
        "  line 3 is no row: fields: 1 where the header has 3",
        "  line 4 breaks amount:type: amount='x'",
    ]
    with pytest.raises(AssertionError, match="line 3 is no row"):
        assert_breaks(CONTRACT, path, {"amount:type": 1}, references=KNOWN)
    path.write_text("order,customer,amount\n1,c1,5\n2,,1,\n3,,1\n")
    assert "line 3 is no row: fields: 4" in said(path)
    path.write_text("order,customer,amount\n1,NA,5\n2,,1\n")
    assert_holds(CONTRACT, path, references=KNOWN, null_values=["NA", ""])
    assert "customer:relationship: 1" in said(path)


def test_other_columns_and_a_file_that_is_none_are_failures(tmp_path: Path) -> None:
    assert said([{"order": 1, "amonut": 1}]).startswith("DP-C003")
    assert said([{**GOOD[0], "more": 1}]).startswith("DP-C004")
    damaged = tmp_path / "damaged.parquet"
    damaged.write_text("order")
    assert said(damaged).startswith("DP-E003")
    with pytest.raises(UsedWrongly, match=r"DP-E009 There is no file nothing\.csv"):
        said(tmp_path / "nothing.csv")


def test_values_of_several_types_in_one_column_are_read_like_texts() -> None:
    rows = [{"order": 1, "customer": "c1", "amount": "five"}, {"order": "2", "customer": "c1", "amount": 5.5}]
    assert_breaks(CONTRACT, rows, {"amount:type": 1, "rowCount": 1}, references=KNOWN)


def test_no_part_of_a_value_is_lost_between_values_of_several_types() -> None:
    text = CONTRACT.partition("      - {name: order")[0] + "      - {name: day, logicalType: date}\n"
    days = [{"day": dt.date(2024, 1, 31)}, {"day": dt.datetime(2024, 1, 31, 5)}]
    assert_breaks(text, days, {"day:type": 1})


def test_a_number_too_large_is_refused_for_its_type() -> None:
    assert_breaks(CONTRACT, [{**GOOD[0], "order": 2**64}, *GOOD], {"order:type"}, references=KNOWN)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"amount:minimum": 2}, ["amount:minimum: 1, expected 2", "rows[0] breaks amount:minimum: amount=-1"]),
        ({"amount:required": 1}, ["amount:required: 0, expected 1", "amount:minimum: 1, expected 0"]),
        ({"order:required"}, ["order:required: 0, expected at least 1"]),
        ({}, ["amount:minimum: 1, expected 0"]),
    ],
)
def test_rules_that_break_otherwise_than_expected_are_named_with_both_counts(rules: Any, words: list[str]) -> None:
    rows = [{"order": 7, "customer": "c1", "amount": -1}, *GOOD]
    assert_breaks(CONTRACT, rows, {"amount:minimum": 1}, references=KNOWN)
    assert_breaks(CONTRACT, rows, "amount:minimum", references=KNOWN)
    with pytest.raises(AssertionError) as failed:
        assert_breaks(CONTRACT, rows, rules, references=KNOWN)
    assert str(failed.value).startswith("orders 1.0.0 is not broken as expected\n")
    assert all(f"\n  {line}" in str(failed.value) for line in words)


def test_what_a_test_names_must_be_there() -> None:
    with pytest.raises(UsedWrongly, match=r"DP-C035 .* no rule 'amount:minimun'; did you mean 'amount:minimum'"):
        assert_breaks(CONTRACT, GOOD, {"amount:minimun"}, references=KNOWN)
    with pytest.raises(UsedWrongly, match="DP-C088 Rows cannot be read from an object of type int"):
        assert_holds(CONTRACT, 5, references=KNOWN)
