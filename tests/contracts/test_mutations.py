"""Whatever is done to a contract, it is refused in words or the change shows: nothing is weakened in silence."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.diff import diff
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import UsedWrongly
from tests.fixtures.campaign import CAMPAIGN
from tests.fixtures.contract_head import contract_head

ROOT = Path(__file__).parents[2]
SHIPPED = ("examples/flights/contracts", "benchmarks/contracts")
CONTRACTS = sorted(path for folder in SHIPPED for path in (ROOT / folder).glob("*.odcs.yaml"))
MUTATIONS = 500 if CAMPAIGN else 150
Loc = tuple[str | int, ...]
PROSE: set[Loc] = {("status",), ("schema", 0, "dataGranularityDescription")}
"""What the shipped contracts say for people alone: no row, run or reader depends on it."""


def places(value: Any, loc: Loc = ()) -> Iterator[Loc]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*loc, key)
        yield from places(inner, (*loc, key))


def at(data: Any, loc: Loc) -> Any:
    for part in loc:
        data = data[part]
    return data


def mutated(data: Any, chance: random.Random) -> tuple[Any, Loc, str]:
    """The data with one key, type or nesting changed; where, and how."""
    found = copy.deepcopy(data)
    loc = chance.choice(list(places(found)))
    parent, last = at(found, loc[:-1]), loc[-1]
    how = chance.choice(["typo", "drop", "type", "nest", "unnest", "move"])
    if how == "typo" and isinstance(last, str):
        position = chance.randrange(len(last))
        parent[last[:position] + chance.choice(["", "x", last[position] * 2]) + last[position + 1 :]] = parent.pop(last)
    elif how == "drop":
        del parent[last]
    elif how == "type":
        others = [7, "word", True, [1], {"a": 1}, None, 1.5, ""]
        parent[last] = chance.choice([o for o in others if type(o) is not type(parent[last])])
    elif how == "nest":
        parent[last] = chance.choice([[parent[last]], {str(last): parent[last]}])
    elif how == "unnest" and isinstance(parent[last], dict | list) and parent[last]:
        parent[last] = next(iter(parent[last].values() if isinstance(parent[last], dict) else parent[last]))
    elif isinstance(last, str):
        found[last + "_moved" if last in found else last] = parent.pop(last)
    return found, loc, how


def changed_values(data: Any) -> Iterator[tuple[Any, Loc]]:
    """The data with each of its values changed in turn, and where that stands."""
    for loc in places(data):
        value = at(data, loc)
        if not isinstance(value, dict | list):
            found = copy.deepcopy(data)
            another = not value if isinstance(value, bool) else f"{value}x" if isinstance(value, str) else value + 1
            at(found, loc[:-1])[loc[-1]] = another
            yield found, loc


def dropped(data: Any) -> Iterator[tuple[Any, Loc]]:
    """The data without each of its keys and items in turn, and where that stood."""
    for loc in places(data):
        found = copy.deepcopy(data)
        del at(found, loc[:-1])[loc[-1]]
        yield found, loc


def shows(old: Contract, new: Contract) -> bool:
    return bool(diff(old, new)) or old.unenforced != new.unenforced or old.version != new.version


def refused_or_shown(old: Contract, changed: Any, path: Path) -> str:
    """What becomes of a changed contract: `refused` in words, `shown` as a change, else nothing: it is silent."""
    path.write_text(yaml.safe_dump(changed, sort_keys=False))
    try:
        new = load_contract(path)
    except UsedWrongly as error:
        assert error.code[:4] in ("DP-C", "DP-Y"), error
        assert path.name in str(error)
        return "refused"
    return "shown" if shows(old, new) else ""


def test_no_mutation_weakens_a_contract_in_silence_or_ends_in_a_traceback(tmp_path: Path) -> None:
    chance, silent, became, tried = random.Random(3), list[str](), Counter[str](), 0
    originals = [(yaml.safe_load(path.read_text()), load_contract(path)) for path in CONTRACTS]
    while tried < MUTATIONS:
        data, contract = chance.choice(originals)
        changed, loc, how = mutated(data, chance)
        if changed == data:
            continue
        tried += 1
        told = refused_or_shown(contract, changed, tmp_path / "mutated.odcs.yaml")
        became[told] += 1
        if not told and loc not in PROSE:
            silent.append(f"{contract.path.name} {how} {'.'.join(map(str, loc))}")
    print(f"\n{tried} mutations of {len(originals)} contracts: {became['refused']} refused, {became['shown']} shown")
    assert silent == []
    assert became["refused"] > MUTATIONS // 2


def test_whatever_is_changed_or_dropped_is_refused_or_shows_as_a_change(tmp_path: Path) -> None:
    orders = tmp_path / "orders.odcs.yaml"
    orders.write_text(HEAD)
    silent, became = set[Loc](), Counter[str]()
    for path in (*CONTRACTS, orders):
        data, contract = yaml.safe_load(path.read_text()), load_contract(path)
        for changed, loc in (*changed_values(data), *(dropped(data) if path == orders else ())):
            told = refused_or_shown(contract, changed, tmp_path / "mutated.odcs.yaml")
            became[told] += 1
            silent |= set() if told else {loc}
    print(f"\n{became.total()} changes: {became['refused']} refused, {became['shown']} shown as a change")
    assert silent == PROSE


HEAD = (
    contract_head(version="1.2.3", team="sales")
    + """\
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0, maximum: 9}}
      - {name: word, logicalType: string, unique: true, logicalTypeOptions: {minLength: 1, pattern: a}}
      - {name: state, logicalType: string, enum: [{value: a}], relationships: [{to: states.state}]}
      - {name: day, logicalType: date}
    quality:
      - {name: small, engine: duckdb, implementation: amount < 5, severity: warning}
      - {type: library, metric: rowCount, mustBeGreaterThan: 0}
slaProperties:
  - {property: freshness, value: 1, unit: h, element: orders.day}
"""
)
TYPOS = {
    "apiVersion:": "apiversion:",
    "v3.2.0": "3.2",
    "kind:": "knid:",
    "DataContract": "Datacontract",
    "id: orders": "ID: orders",
    "version: 1": "verison: 1",
    "1.2.3": "1.2",
    "team:": "taem:",
    "{name: sales}": "{nam: sales}",
    "schema:": "shcema:",
    "- name: orders": "- nmae: orders",
    "properties:": "propreties:",
    "{name: amount": "{naem: amount",
    "logicalType: number": "logicaltype: number",
    ": number": ": numbr",
    ": string, unique": ": strng, unique",
    "required: true": "requierd: true",
    "true, logicalTypeOptions: {minimum": "yess, logicalTypeOptions: {minimum",
    "logicalTypeOptions: {minimum": "logicalTypeOption: {minimum",
    "minimum: 0": "minimun: 0",
    "minimum: 0,": "minimum: zero,",
    "maximum: 9": "maxmum: 9",
    "minLength": "minlength",
    "minLength: 1": "minLength: one",
    "pattern: a": "patern: a",
    "pattern: a}": "pattern: '['}",
    "unique": "uniqe",
    "unique: true": "unique: 1",
    "enum:": "emum:",
    "{value: a}": "{valeu: a}",
    "relationships:": "relationship:",
    "{to:": "{too:",
    "states.state": "states",
    "quality:": "qualty:",
    "engine": "engin",
    "engine: duckdb": "engine: duckbd",
    "implementation": "implementaton",
    "amount < 5": "amuont < 5",
    "severity": "severty",
    "severity: warning": "severity: warn",
    "type: library": "type: libary",
    "metric:": "metrik:",
    "rowCount": "rowcount",
    "mustBeGreaterThan": "mustBeGreatherThan",
    "GreaterThan: 0": "GreaterThan: none",
    "slaProperties": "slaPropertys",
    "property: fr": "proprety: fr",
    "value: 1": "value: one",
    "unit: h": "unit: hh",
    "[{value: a}]": "{value: a}",
}


@pytest.mark.parametrize(("right", "wrong"), TYPOS.items(), ids=list(TYPOS.values()))
def test_a_typo_is_refused_with_its_place(right: str, wrong: str, tmp_path: Path) -> None:
    assert right in HEAD
    assert len(TYPOS) >= 40
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(HEAD)
    load_contract(path)
    path.write_text(HEAD.replace(right, wrong, 1))
    with pytest.raises(UsedWrongly, match=r"^DP-[CY]\d+ orders\.odcs\.yaml:\d+:\d+"):
        load_contract(path)
