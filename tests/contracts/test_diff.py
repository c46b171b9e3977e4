"""What a change of a contract means to those who read the table."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.diff import Change, diff, is_bumped, version_after, worst_level
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.contracts.revisions import waivers_in
from dataops_platform.kit.errors import UsedWrongly
from tests.fixtures.contract_head import contract_head

OLD = (
    contract_head(version="1.2.3", team="sales")
    + """\
      - {name: id, logicalType: integer, physicalType: integer, primaryKey: true}
      - {name: amount, logicalType: number, physicalType: "decimal(9,2)",
         required: true, logicalTypeOptions: {minimum: 0, maximum: 9}}
      - {name: word, logicalType: string, description: A word., logicalTypeOptions: {minLength: 2, pattern: "^a"}}
      - {name: state, logicalType: string, enum: [{value: a}, {value: b}],
         customProperties: [{property: knownAt, value: start}]}
    quality:
      - {name: small, engine: duckdb, implementation: amount < 5, severity: warning}
      - {type: library, metric: rowCount, mustBeGreaterThan: 3}
slaProperties:
  - {property: freshness, value: 2, unit: h}
"""
)
CHANGES = [
    ("id: orders", "id: shop.orders", "breaking", "the contract is shop.orders, no longer orders"),
    ("- name: orders", "- name: orderz", "breaking", "the table is called orderz, no longer orders"),
    ("      - {name: word,", "      - {name: wort,", "breaking", "word is gone"),
    ("physicalType: integer", "physicalType: bigint", "compatible", "id is bigint, no longer integer"),
    ("physicalType: integer", "physicalType: smallint", "breaking", "id is smallint, no longer integer"),
    ("decimal(9,2)", "decimal(11,3)", "compatible", "amount is decimal(11,3), no longer decimal(9,2)"),
    ("decimal(9,2)", "decimal(9,3)", "breaking", "amount is decimal(9,3), no longer decimal(9,2)"),
    ("required: true, ", "", "breaking", "amount may be null now"),
    ("A word.", "One word.", "cosmetic", "word has another description"),
    ("minimum: 0", "minimum: 1", "compatible", "the rule amount:minimum is 1, no longer 0"),
    ("minimum: 0", "minimum: -1", "breaking", "the rule amount:minimum is -1, no longer 0"),
    ("maximum: 9", "maximum: 10", "breaking", "the rule amount:maximum is 10, no longer 9"),
    ("maximum: 9", "exclusiveMaximum: 9", "breaking", "the rule amount:maximum is gone"),
    ("minLength: 2", "minLength: 1", "breaking", "the rule word:min_length is 1, no longer 2"),
    ("^a", "^b", "breaking", "the rule word:pattern is ^b, no longer ^a"),
    ("[{value: a}, {value: b}]", "[{value: a}]", "compatible", "the rule state:enum is a, no longer a, b"),
    ("[{value: a}, {value: b}]", "[{value: a}, {value: c}]", "breaking", "the rule state:enum is a, c, no longer a, b"),
    ("value: start", "value: end", "breaking", "state is known at end, no longer start"),
    ("severity: warning", "severity: error", "compatible", "the rule small is of severity error, no longer warning"),
    ("amount < 5", "amount < 6", "breaking", "the rule small is amount < 6, no longer amount < 5"),
    ("GreaterThan: 3", "GreaterThan: 4", "compatible", "the rule rowCount is count(*) mustBeGreaterThan 4, no longer"),
    ("GreaterThan: 3", "GreaterThan: 2", "breaking", "the rule rowCount is count(*) mustBeGreaterThan 2, no longer"),
    ("value: 2, unit: h", "value: 1, unit: h", "compatible", "fresh within 1 h, before 2 h"),
    ("value: 2, unit: h", "value: 1, unit: d", "breaking", "fresh within 24 h, before 2 h"),
    ("name: sales", "name: shop", "compatible", "the owner is team:shop, no longer team:sales"),
    ("schema:", "tags: [core, day]\nschema:", "cosmetic", "the tags are core, day, no longer none"),
    ("      - {name: word,", "      - {name: word, tags: [a],", "cosmetic", "word is tagged a, no longer none"),
]


def contract(folder: Path, text: str) -> Contract:
    path = folder / "orders.odcs.yaml"
    path.write_text(text)
    return load_contract(path)


@pytest.mark.parametrize(("old", "new", "level", "what"), CHANGES)
def test_each_change_has_its_level_and_is_said(old: str, new: str, level: str, what: str, tmp_path: Path) -> None:
    assert old in OLD
    before, after = contract(tmp_path, OLD), contract(tmp_path, OLD.replace(old, new, 1))
    changes = diff(before, after)
    assert worst_level(changes) == level
    assert [c for c in changes if c.level == level and c.what.startswith(what)], changes
    back = worst_level(diff(after, before))
    assert back is not None
    if level == "compatible" and "owner" not in what:
        assert back == "breaking", "what makes it tighter makes it looser on the way back"


def test_the_same_contract_has_no_changes_whatever_the_order_of_its_rules(tmp_path: Path) -> None:
    lines = OLD.splitlines(keepends=True)
    swapped = "".join([*lines[:15], lines[16], lines[15], *lines[17:]])
    assert diff(contract(tmp_path, OLD), contract(tmp_path, swapped)) == ()


def test_a_contract_that_comes_or_goes(tmp_path: Path) -> None:
    found = contract(tmp_path, OLD)
    assert diff(None, found) == (Change("compatible", "a new contract"),)
    assert diff(found, None) == (Change("breaking", "the contract is gone"),)
    assert diff(None, None) == ()


def test_each_level_asks_for_its_version(tmp_path: Path) -> None:
    asked = [version_after("1.2.3", level) for level in ("breaking", "compatible", "cosmetic", None)]
    assert asked == ["2.0.0", "1.3.0", "1.2.4", "1.2.3"]
    before = contract(tmp_path, OLD)
    for version, passes in {"1.9.0": False, "2.0.0": True, "10.0.0": True}.items():
        after = contract(tmp_path, OLD.replace("1.2.3", version))
        assert is_bumped(before, after, "breaking") is passes


def test_a_waiver_holds_until_its_day(tmp_path: Path) -> None:
    line = '  - {contract: orders, version: 2.0.0, by: "team:sales", why: Agreed., until: "2024-05-01"}\n'
    (tmp_path / "waivers.yaml").write_text("waivers:\n" + line)
    assert [w.by for w in waivers_in(tmp_path, dt.date(2024, 5, 1))] == ["team:sales"]
    assert waivers_in(tmp_path, dt.date(2024, 5, 2)) == []
    for wrong, words in (
        (line.replace("by:", "bye:"), "did you mean 'by'"),
        (line.replace("05-01", "05"), "not a date"),
    ):
        (tmp_path / "waivers.yaml").write_text("waivers:\n" + wrong)
        with pytest.raises(UsedWrongly, match=words):
            waivers_in(tmp_path, dt.date(2024, 5, 1))
