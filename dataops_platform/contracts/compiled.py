"""Contracts compiled ahead of time: SQL for each rule, so that judging rows needs no further look-up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.contract import Contract, Rule
from dataops_platform.contracts.predicates import violation
from dataops_platform.contracts.sql_check import measure_sql, refuse_unevaluable
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.sql import identifiers

FORMAT = "dataops plan 1"
SUFFIX = ".plan.json"
if TYPE_CHECKING:
    from pydantic import TypeAdapter

ROWS = "${object}"
"""The placeholder in a measure's SQL for the relation of the rows that hold all row rules."""


@dataclass(frozen=True)
class CompiledContract:
    """A contract and the SQL that DuckDB evaluates for it.

    `violations` maps a rule's name to a condition that is true for a typed row that breaks it; `measures` to a
    statement that returns the rule's number over all rows. Rules in neither look at other rows (keys), at other tables
    (relationships), or are Python.
    """

    contract: Contract
    violations: Mapping[str, str]
    measures: Mapping[str, str]

    def to_json(self) -> str:
        """Return the content of a plan file, for people and programs; the same contract gives the same bytes."""
        named = replace(self, contract=replace(self.contract, path=Path(self.contract.path.name)))
        content = _adapter().dump_python(named, mode="json")
        return json.dumps({"format": FORMAT, "digest": digest_of(content), **content}, indent=1) + "\n"


def compile_contract(contract: Contract) -> CompiledContract:
    """Return the contract with its SQL. Raises: UsedWrongly DP-C007 for a rule that DuckDB cannot evaluate."""
    refuse_unevaluable(contract)
    types = {column.name: column.sql_type for column in contract.columns}
    conditions = {rule.name: violation(rule, types.get("".join(rule.columns[:1]), "")) for rule in contract.rules}
    over_all = {rule.name: measure_sql(rule, ROWS) for rule in contract.rules if rule.kind in ("measure", "query")}
    return CompiledContract(contract, {name: sql for name, sql in conditions.items() if sql is not None}, over_all)


def read_compiled(path: Path) -> CompiledContract:
    """Return the compiled contract in a plan file, without reading YAML.

    Raises: UsedWrongly DP-C024 for a file that `CompiledContract.to_json` of this version did not write.
    """
    try:
        content = json.loads(path.read_bytes())
        if content.pop("format") != FORMAT or content.pop("digest") != digest_of(content):
            raise ValueError("made by another version, or changed since")
        compiled = _adapter().validate_python(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsedWrongly("DP-C024", file=path.name) from error
    return replace(compiled, contract=replace(compiled.contract, path=path.with_name(compiled.contract.path.name)))


def describe_rules(compiled: CompiledContract) -> list[dict[str, Any]]:
    """Return one line for each rule, for people: its name, its severity and what is evaluated."""
    return [
        {
            "rule": rule.name,
            "severity": rule.severity,
            "asked": " ".join(
                (compiled.violations.get(rule.name) or compiled.measures.get(rule.name) or _describe_rule(rule)).split()
            ),
        }
        for rule in compiled.contract.rules
    ]


def _describe_rule(rule: Rule) -> str:
    columns = identifiers(rule.columns)
    return {
        "unique": f"({columns}) occurs in another row",
        "relationship": f"{columns} is not in {rule.argument}",
        "python": f"pandera check {rule.argument} on {columns}",
    }[rule.kind]


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[CompiledContract]:
    from pydantic import TypeAdapter

    return TypeAdapter(CompiledContract)
