"""Whatever is done to a contract, it is refused in words or the change shows: nothing is weakened in silence."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.diff import diff
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import UsedWrongly

ROOT = Path(__file__).parents[2]
CONTRACTS = sorted((ROOT / "examples" / "flights" / "contracts").glob("*.odcs.yaml"))
MUTATIONS = 500
PROSE = {
    "dataGranularityDescription",
    "tags",
    "status",
    "domain",
    "name",
    "id",
    "purpose",
    "usage",
    "limitations",
    "apiVersion",
}
"""Keys that say nothing a table could break; `id` and `name` of the file as a whole, the standard's own version."""

Loc = tuple[str | int, ...]


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


def shows(old: Contract, new: Contract) -> bool:
    return bool(diff(old, new)) or old.unenforced != new.unenforced or old.version != new.version


def test_no_mutation_weakens_a_contract_in_silence_or_ends_in_a_traceback(tmp_path: Path) -> None:
    chance, silent, refused = random.Random(3), list[str](), 0
    originals = [(yaml.safe_load(path.read_text()), load_contract(path)) for path in CONTRACTS]
    for _ in range(MUTATIONS):
        data, contract = chance.choice(originals)
        changed, loc, how = mutated(data, chance)
        path = tmp_path / "mutated.odcs.yaml"
        path.write_text(yaml.safe_dump(changed, sort_keys=False))
        if changed == data:
            continue
        try:
            new = load_contract(path)
        except UsedWrongly as error:
            assert error.code in ("DP-C001", "DP-C002"), error
            assert "mutated.odcs.yaml" in str(error)
            refused += 1
            continue
        if not shows(contract, new) and not PROSE & set(map(str, loc)):
            silent.append(f"{contract.path.name} {how} {'.'.join(map(str, loc))}")
    assert silent == []
    assert refused > MUTATIONS // 2


HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.2.3
team: {name: sales}
schema:
  - name: orders
    properties:
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0, maximum: 9}}
      - {name: word, logicalType: string, unique: true, logicalTypeOptions: {minLength: 1, pattern: a}}
      - {name: state, logicalType: string, enum: [{value: a}], relationships: [{to: states.state}]}
    quality:
      - {name: small, engine: duckdb, implementation: amount < 5, severity: warning}
      - {type: library, metric: rowCount, mustBeGreaterThan: 0}
slaProperties:
  - {property: freshness, value: 1, unit: d}
"""
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
    "unit: d": "unit: dd",
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
    with pytest.raises(UsedWrongly, match=r"^DP-C00[12] orders\.odcs\.yaml:\d+:\d+"):
        load_contract(path)
