"""A contract as dbt describes a model: the tests dbt-core has, no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataops_platform.contracts.dbt_properties import dbt_properties
from dataops_platform.contracts.odcs import load_contract

HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: sales
version: 1.2.0
team: {name: shop}
description: {purpose: Every sale.}
schema:
  - name: sales
    properties:
"""
NAMES = {"customers": "source('clean', 'customers')", "regions": "ref('regions')"}


def properties(tmp_path: Path, columns: str) -> dict[str, Any]:
    path = tmp_path / "sales.odcs.yaml"
    path.write_text(HEAD + "".join(f"      - {line}\n" for line in columns.strip().splitlines()))
    return dbt_properties(load_contract(path), "sales", NAMES)


def asked_of(tmp_path: Path, column: str) -> Any:
    return properties(tmp_path, column)["columns"][0].get("data_tests", [])


def test_a_whole_contract(tmp_path: Path) -> None:
    columns = """
{name: sale, logicalType: integer, primaryKey: true, description: Its number.}
{name: customer, logicalType: string, classification: personal, relationships: [{to: customers.customer}]}
{name: region, logicalType: string, enum: [{value: north}, {value: south}], logicalTypeOptions: {maxLength: 5}}
{name: amount, logicalType: number, physicalType: "decimal(10,2)", required: true, logicalTypeOptions: {minimum: 0}}
"""
    assert properties(tmp_path, columns) == {
        "name": "sales",
        "description": "Every sale.",
        "config": {"meta": {"contract": "sales", "contract_version": "1.2.0", "owner": "team:shop"}},
        "columns": [
            {"name": "sale", "data_type": "bigint", "description": "Its number.", "data_tests": ["not_null", "unique"]},
            {
                "name": "customer",
                "data_type": "varchar",
                "config": {"meta": {"classification": "personal"}},
                "data_tests": [
                    {"relationships": {"arguments": {"to": "source('clean', 'customers')", "field": "customer"}}}
                ],
            },
            {
                "name": "region",
                "data_type": "varchar",
                "data_tests": [{"accepted_values": {"arguments": {"values": ["north", "south"]}}}],
            },
            {"name": "amount", "data_type": "decimal(10,2)", "data_tests": ["not_null"]},
        ],
    }


@pytest.mark.parametrize(
    ("metric", "test"),
    [
        ("{metric: nullValues, mustBe: 0", "not_null"),
        ("{metric: duplicateValues, mustBeLessOrEqualTo: 0, unit: percent", "unique"),
        ("{metric: invalidValues, mustBe: 0, arguments: {validValues: [a, b]}", "accepted_values"),
    ],
)
@pytest.mark.parametrize("severity", ["error", "warning"])
def test_a_metric_that_allows_no_row_is_a_test_of_its_severity(
    metric: str, test: str, severity: str, tmp_path: Path
) -> None:
    rule = f"quality: [{metric}, type: library, severity: {severity}}}]"
    (found,) = asked_of(tmp_path, f"{{name: region, logicalType: string, {rule}}}")
    body = found[test] if isinstance(found, dict) else {}
    assert (found if isinstance(found, str) else next(iter(found))) == test
    assert body.get("config") == (None if severity == "error" else {"severity": "warn"})


@pytest.mark.parametrize(
    "rule",
    [
        "quality: [{type: library, metric: nullValues, mustBeLessThan: 5}]",
        "quality: [{type: library, metric: nullValues, mustBe: 3}]",
        "quality: [{type: library, metric: invalidValues, mustBe: 0, arguments: {pattern: a, validValues: [a]}}]",
        "quality: [{type: library, metric: duplicateValues, mustBe: 0, arguments: {properties: [region, sale]}}]",
        "quality: [{name: odd, engine: duckdb, implementation: region <> 'x'}]",
        "relationships: [{to: elsewhere.region}]",
        "logicalTypeOptions: {pattern: a}",
    ],
)
def test_a_rule_that_dbt_has_no_test_for_has_none(rule: str, tmp_path: Path) -> None:
    columns = f"{{name: region, logicalType: string, {rule}}}\n{{name: sale, logicalType: integer}}"
    assert ["data_tests" in column for column in properties(tmp_path, columns)["columns"]] == [False, False]


def test_the_stricter_of_two_rules_that_are_one_test_stands(tmp_path: Path) -> None:
    warning = "quality: [{type: library, metric: nullValues, mustBe: 0, severity: warning}]"
    assert asked_of(tmp_path, f"{{name: region, logicalType: string, required: true, {warning}}}") == ["not_null"]


def test_numbers_and_truths_are_not_quoted(tmp_path: Path) -> None:
    (found,) = asked_of(tmp_path, "{name: grade, logicalType: number, enum: [{value: 1}, {value: 2.5}]}")
    assert found == {"accepted_values": {"arguments": {"values": [1, 2.5], "quote": False}}}
    (found,) = asked_of(tmp_path, "{name: paid, logicalType: boolean, enum: [{value: true}]}")
    assert found == {"accepted_values": {"arguments": {"values": [True], "quote": False}}}


def test_names_that_sql_takes_for_words_of_its_own_are_quoted(tmp_path: Path) -> None:
    found = properties(tmp_path, '{name: order, logicalType: integer}\n{name: "the day", logicalType: date}')["columns"]
    assert [(column["name"], column.get("quote")) for column in found] == [("order", True), ("the day", True)]
    (test,) = asked_of(tmp_path, "{name: customer, logicalType: integer, relationships: [{to: regions.order}]}")
    assert test["relationships"]["arguments"] == {"to": "ref('regions')", "field": '"order"'}
