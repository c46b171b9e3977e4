"""Each rule of a contract can be seen to fail, alone; where it cannot, that is said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.testing import assert_breaks, example_rows, rows_breaking, rules_of
from tests.fixtures.campaign import CAMPAIGN
from tests.fixtures.contract_head import contract_head
from tests.testing.conftest import contracts

CONTRACT = (
    contract_head()
    + """\
      - {name: id, logicalType: integer, physicalType: smallint, primaryKey: true, logicalTypeOptions: {minimum: 0}}
      - {name: day, logicalType: date, primaryKey: true}
      - name: word
        logicalType: string
        required: true
        logicalTypeOptions: {minLength: 2, maxLength: 4, pattern: "^[a-z]*$"}
      - {name: share, logicalType: number, unique: true, logicalTypeOptions: {exclusiveMinimum: 0, maximum: 1}}
      - {name: cost, logicalType: number, physicalType: "decimal(9,2)", logicalTypeOptions: {exclusiveMaximum: 9}}
      - {name: state, logicalType: string, enum: [{value: open}, {value: paid}], relationships: [{to: states.state}]}
      - {name: at, logicalType: timestamp, quality: [{type: library, metric: nullValues, mustBeLessThan: 6}]}
    quality:
      - {name: small, engine: duckdb, implementation: "share <= 0.5 or word < 'k'"}
      - {name: early, engine: duckdb, implementation: "id < 30000", severity: warning}
      - {type: library, metric: rowCount, mustBeBetween: [3, 15]}
      - {type: sql, name: words, query: "select count(distinct word) from ${object}", mustBeGreaterThan: 0}
"""
)
KNOWN = {"states": [{"state": "open"}, {"state": "paid"}, {"state": "lost"}]}
ALONE = {
    "state:relationship": "state:enum",  # what is in the enum is in the other table
    "words": "rowCount",
}
"""Rules that cannot break alone, and what breaks with them."""


def test_the_rules_are_all_but_the_types_that_take_any_value() -> None:
    rules = rules_of(CONTRACT)
    assert len(rules) == 24
    assert {"word:type", "state:type"}.isdisjoint(rules)


SOME = ("word:pattern", "state:relationship")
"""Rules that every run of the tests tries; the others are tried with the journeys."""


@pytest.mark.parametrize(
    "rule", [rule if rule in SOME else pytest.param(rule, marks=pytest.mark.journey) for rule in rules_of(CONTRACT)]
)
def test_each_rule_breaks_alone_or_it_is_said_why_not(rule: str) -> None:
    if rule not in ALONE:
        breaks_alone(rule)
        return
    with pytest.raises(UsedWrongly, match=f"DP-C037 Cannot .* break only {rule}: .* also break {ALONE[rule]}"):
        rows_breaking(CONTRACT, rule, 5, references=KNOWN)


def breaks_alone(rule: str) -> None:
    """Sees a rule fail, and no other."""
    rows = rows_breaking(CONTRACT, rule, 5, references=KNOWN)
    assert_breaks(CONTRACT, rows, {rule}, references=KNOWN)
    if rule not in ("at:nullValues", "rowCount"):
        assert_breaks(CONTRACT, rows, {rule: 2 if rule in ("primary_key", "share:unique") else 1}, references=KNOWN)
    assert rows == rows_breaking(CONTRACT, rule, 5, references=KNOWN)


@settings(max_examples=4, deadline=None, database=None, derandomize=True)
@given(contracts(), st.integers(0, 99))
def test_a_rule_of_a_contract_breaks_alone_or_it_is_said_why_not(text: str, index: int) -> None:
    breaks_or_says_why(text, index)


@pytest.mark.journey
@settings(max_examples=150 if CAMPAIGN else 30, deadline=None, database=None, derandomize=True)
@given(contracts(), st.integers(0, 99))
def test_rules_of_many_contracts_break_alone_or_it_is_said_why_not(text: str, index: int) -> None:
    breaks_or_says_why(text, index)


def breaks_or_says_why(text: str, index: int) -> None:
    """Sees one of a contract's rules fail, and no other; or is told with which others it does."""
    rules = rules_of(text)
    if not rules:
        return
    rule = rules[index % len(rules)]
    try:
        rows = rows_breaking(text, rule, 4)
    except UsedWrongly as error:
        assert error.code == "DP-C037", f"nothing breaks {rule} of {text}"
    else:
        assert_breaks(text, rows, {rule})


def test_a_rule_that_another_repeats_is_told_with_that_other() -> None:
    text = CONTRACT.partition("      - {name: id")[0] + "      - {name: id, logicalType: integer, %s}\n"
    twice = text % "primaryKey: true, unique: true"
    with pytest.raises(UsedWrongly, match="break only id:unique: those that break it also break primary_key"):
        rows_breaking(twice, "id:unique", 3)
    assert rows_breaking(text % "logicalTypeOptions: {maximum: 5}", "id:maximum", 1) == [{"id": 6}]


TAXED = """\
{apiVersion: v3.2.0, kind: DataContract, id: c, version: 1.0.0, team: {name: t}, schema: [{name: c, properties: [
  {name: net, logicalType: integer, required: true},
  {name: tax, logicalType: number, logicalTypeOptions: {minimum: 0}},
], quality: [{name: fifth, engine: duckdb, implementation: tax = net / 5}]}]}
"""


@pytest.mark.journey
def test_where_trying_finds_nothing_the_columns_to_help_with_are_named() -> None:
    with pytest.raises(UsedWrongly, match=r"DP-C037 .* also break fifth.* columns of these rules: tax, net"):
        rows_breaking(TAXED, "tax:minimum", 2)


def test_values_help_where_trying_finds_nothing() -> None:
    values = {"net": [-5, 5, 10], "tax": lambda row: row["net"] / 5}
    assert [row["tax"] >= 0 for row in example_rows(TAXED, 3, values=values)] == [True] * 3
    assert_breaks(TAXED, rows_breaking(TAXED, "tax:minimum", 2, values=values), {"tax:minimum": 1})


def test_a_rule_that_is_not_there_is_told() -> None:
    with pytest.raises(UsedWrongly, match=r"DP-C035 .* did you mean 'word:pattern'"):
        rows_breaking(CONTRACT, "word:patern", references=KNOWN)
