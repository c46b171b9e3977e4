"""Rows made from a contract hold it, or it is said which rules they could not hold."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.testing import assert_breaks, assert_holds, example_rows
from tests.fixtures.campaign import CAMPAIGN
from tests.testing.conftest import contracts

HEAD = "apiVersion: v3.2.0\nkind: DataContract\nid: c\nversion: 1.0.0\nteam: {name: t}\nschema:\n- name: rows\n"
NO_NULLS = "{type: sql, name: filled, query: 'select count(*) - count(a + b + c) from ${object}', mustBe: 0}"


def contract(*columns: str, quality: str = "") -> str:
    """The text of a contract with these columns."""
    listed = "".join(f"  - {{{column}}}\n" for column in columns)
    return f"{HEAD}  properties:\n{listed}" + (f"  quality: [{quality}]\n" if quality else "")


def words(text: str, **more: Any) -> str:
    """Why no rows are made."""
    with pytest.raises(UsedWrongly) as refused:
        example_rows(text, **more)
    return str(refused.value)


@settings(max_examples=4, deadline=None, database=None, derandomize=True)
@example(contract(*(f"name: {name}, logicalType: integer" for name in "abc"), quality=NO_NULLS))
@given(contracts())
def test_rows_of_a_contract_hold_it_and_are_the_same_again(text: str) -> None:
    hold_and_repeat(text)


@pytest.mark.journey
@settings(max_examples=150 if CAMPAIGN else 30, deadline=None, database=None, derandomize=True)
@given(contracts())
def test_rows_of_many_contracts_hold_them(text: str) -> None:
    hold_and_repeat(text)


def hold_and_repeat(text: str) -> None:
    """Holds rows made from a contract against it."""
    rows = example_rows(text, 6, seed=3)
    assert len(rows) == 6
    assert_holds(text, rows)
    assert rows == example_rows(text, 6, seed=3)


def test_every_type_has_its_own_values_and_another_seed_gives_others() -> None:
    text = contract(
        "name: i, logicalType: integer, required: true",
        "name: d, logicalType: number, physicalType: 'decimal(9,2)', required: true",
        "name: f, logicalType: number, required: true",
        "name: b, logicalType: boolean, required: true",
        "name: s, logicalType: string, required: true",
        "name: day, logicalType: date, required: true",
        "name: at, logicalType: timestamp, required: true",
        "name: zoned, logicalType: timestamp, physicalType: timestamptz, required: true",
        "name: clock, logicalType: time, required: true",
    )
    rows = example_rows(text, 3)
    kinds = [int, Decimal, float, bool, str, dt.date, dt.datetime, dt.datetime, dt.time]
    assert [[type(value) for value in row.values()] for row in rows] == [kinds] * 3
    assert rows[0]["zoned"].tzinfo == dt.UTC
    assert example_rows(text, 3, seed=1) != rows
    assert example_rows(text, 0) == []


def test_a_key_is_never_doubled_even_where_it_has_no_value_left() -> None:
    text = contract(
        "name: a, logicalType: boolean, primaryKey: true",
        "name: b, logicalType: string, primaryKey: true, enum: [{value: x}, {value: y}]",
        "name: c, logicalType: integer, unique: true, logicalTypeOptions: {minimum: 1, maximum: 2}",
    )
    rows = example_rows(text, 4)
    assert {(row["a"], row["b"]) for row in rows} == {(True, "x"), (True, "y"), (False, "x"), (False, "y")}
    assert sorted(row["c"] for row in rows if row["c"] is not None) in ([1, 2], [1], [2], [])
    assert "DP-C036 Cannot find 5 rows that satisfy primary_key; " in words(text, count=5)


def test_rules_between_columns_are_found_by_trying() -> None:
    text = contract(
        "name: price, logicalType: integer, required: true, logicalTypeOptions: {minimum: 0, maximum: 20}",
        "name: paid, logicalType: integer, required: true, logicalTypeOptions: {minimum: 0, maximum: 20}",
        quality="{name: whole, engine: duckdb, implementation: paid = price}",
    )
    assert all(row["price"] == row["paid"] for row in example_rows(text, 5))


def test_what_cannot_be_found_is_named_and_values_help() -> None:
    text = contract(
        "name: iban, logicalType: string, required: true",
        "name: total, logicalType: integer, required: true",
        "name: half, logicalType: number, required: true",
        quality="{name: checked, engine: duckdb, implementation: md5(iban) like '0000%'},"
        "{name: halved, engine: duckdb, implementation: half * 2 = total}",
    )
    said = words(text, count=2)
    assert said.startswith("DP-C036 Cannot find 2 rows that satisfy checked, halved; columns of these rules: ")
    assert "iban, total, half. Contract contract.odcs.yaml 1.0.0. Pass `values` for these columns" in said
    text = text.replace("md5(iban) like '0000%'", "md5(iban) = md5('x')")
    rows = example_rows(text, 2, values={"iban": ["x", "y"], "half": lambda row: row["total"] / 2})
    assert [row["iban"] for row in rows] == ["x", "x"]
    assert "DP-C087 contract.odcs.yaml has no column 'ibam'; did you mean 'iban'?" in words(text, values={"ibam": []})


@pytest.mark.parametrize(
    ("column", "quality", "named"),
    [
        pytest.param(
            r"name: a, logicalType: string, required: true, logicalTypeOptions: {pattern: '^\bquartz\b$'}",
            "",
            "a:pattern",
            marks=pytest.mark.journey,
        ),
        ("name: a, logicalType: integer", "{type: library, metric: rowCount, mustBe: 7}", "rowCount"),
        ("name: a, logicalType: boolean, required: true, unique: true", "", "a:unique"),
    ],
)
def test_a_rule_that_leaves_nothing_is_named(column: str, quality: str, named: str) -> None:
    assert f"DP-C036 Cannot find 3 rows that satisfy {named}; " in words(contract(column, quality=quality), count=3)


def test_relationships_take_what_the_other_table_has_and_a_row_may_refer_to_itself() -> None:
    text = contract(
        "name: id, logicalType: integer, primaryKey: true, relationships: [{to: known.id}]",
        "name: parent, logicalType: integer, required: true, relationships: [{to: rows.id}]",
    )
    rows = example_rows(text, 3, references={"known": [{"id": "1"}, {"id": "x"}, {"id": "2"}, {"id": "3"}]})
    assert {row["id"] for row in rows} == {1, 2, 3}
    assert {row["parent"] for row in rows} <= {1, 2, 3}
    assert "DP-C056" in words(text)
    assert_breaks(text, [{"id": 1, "parent": 2}], {"parent:relationship": 1}, references={"known": [{"id": 1}]})


def test_nulls_appear_where_they_may_and_go_where_a_metric_forbids_them() -> None:
    column = "name: a, logicalType: integer"
    assert None in {row["a"] for row in example_rows(contract(column), 40)}
    counted = contract(f"{column}, quality: [{{type: library, metric: nullValues, mustBe: 0}}]")
    assert None not in {row["a"] for row in example_rows(counted, 40)}
