"""A contract compiled ahead of time: each question as SQL that DuckDB understands, nothing left to look up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.contract import Contract, Rule
from dataops_platform.contracts.predicates import violation
from dataops_platform.contracts.sql_check import measured, refuse_unevaluable
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.sql import identifiers

FORMAT = "dataops plan 1"
SUFFIX = ".plan.json"
if TYPE_CHECKING:
    from pydantic import TypeAdapter

ROWS = "${object}"
"""In the SQL of a measure: the relation of the rows that hold all other rules."""


@dataclass(frozen=True)
class Plan:
    """What DuckDB is asked about the rows of a table.

    `violations` has, by the name of a rule, a condition that is true for a typed row that breaks it; `measures` has a
    statement that gives the number of a rule over all rows. Rules of the contract that are in neither look at other
    rows (keys), at other tables (relationships) or are Python.
    """

    contract: Contract
    violations: Mapping[str, str]
    measures: Mapping[str, str]

    def to_json(self) -> str:
        """The plan as a file for people and programs; a file made twice has the same bytes."""
        named = replace(self, contract=replace(self.contract, path=Path(self.contract.path.name)))
        content = _adapter().dump_python(named, mode="json")
        return json.dumps({"format": FORMAT, "digest": digest_of(content), **content}, indent=1) + "\n"


def compile_plan(contract: Contract) -> Plan:
    """The plan of a contract. Raises: UsedWrongly DP-C007 for a rule that DuckDB cannot evaluate."""
    refuse_unevaluable(contract)
    types = {column.name: column.sql_type for column in contract.columns}
    compiled = {rule.name: violation(rule, types.get("".join(rule.columns[:1]), "")) for rule in contract.rules}
    over_all = {rule.name: measured(rule, ROWS) for rule in contract.rules if rule.kind in ("measure", "query")}
    return Plan(contract, {name: sql for name, sql in compiled.items() if sql is not None}, over_all)


def read_plan(path: Path) -> Plan:
    """The plan in a file that `Plan.to_json` made; reads no YAML. Raises: UsedWrongly DP-C024 for any other file."""
    try:
        content = json.loads(path.read_bytes())
        if content.pop("format") != FORMAT or content.pop("digest") != digest_of(content):
            raise ValueError("made by another version, or changed since")
        plan = _adapter().validate_python(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsedWrongly("DP-C024", file=path.name) from error
    return replace(plan, contract=replace(plan.contract, path=path.with_name(plan.contract.path.name)))


def described(plan: Plan) -> list[dict[str, Any]]:
    """The rules of a plan for people: what DuckDB is asked for each."""
    return [
        {
            "rule": rule.name,
            "severity": rule.severity,
            "asked": " ".join((plan.violations.get(rule.name) or plan.measures.get(rule.name) or _told(rule)).split()),
        }
        for rule in plan.contract.rules
    ]


def _told(rule: Rule) -> str:
    columns = identifiers(rule.columns)
    return {
        "unique": f"({columns}) occurs in another row",
        "relationship": f"{columns} is not in {rule.argument}",
        "python": f"pandera check {rule.argument} on {columns}",
    }[rule.kind]


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Plan]:
    from pydantic import TypeAdapter

    return TypeAdapter(Plan)
