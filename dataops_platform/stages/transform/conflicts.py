"""Conflicts between dbt's description of a model and its contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dataops_platform.contracts.column_types import SQL_TYPES
from dataops_platform.contracts.contract import Column, Contract
from dataops_platform.kit.errors import preview
from dataops_platform.stages.transform.graph import DbtModel

KEYS = {"model": "models", "seed": "seeds", "snapshot": "snapshots"}
"""The keys of dbt's YAML below which each kind of table is described."""
_INTEGERS = {f"{unsigned}{size}int" for unsigned in ("", "u") for size in ("tiny", "small", "big", "huge")}
_KINDS: dict[str, set[str]] = {
    "string": {"varchar"},
    "integer": {*_INTEGERS, "integer", "uinteger"},
    "number": {"double", "float", "decimal"},
    "timestamp": {"timestamp", "timestamp with time zone", "timestamp_s", "timestamp_ms", "timestamp_ns"},
    "time": {"time", "time with time zone"},
}
"""DuckDB's types for a logical type, where a contract asks for no particular one."""


@dataclass(frozen=True)
class ContractDrift:
    """One difference: the model (empty for the file as a whole), `file:line`, and what differs."""

    model: str
    place: str
    what: str


def differences(found: str | None, text: str, name: str, by_hand: Mapping[str, str]) -> Iterator[ContractDrift]:
    """Yield how the file called `name` differs from its wanted text.

    `found` is its current text, None when it is missing. `by_hand` maps models that are described elsewhere to the
    place.
    """
    import yaml

    if found is None:
        yield ContractDrift("", name, f"is missing, with {preview(_entries(yaml.safe_load(text)))}")
        return
    try:
        before = _entries(yaml.safe_load(found))
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        yield ContractDrift("", name, "is no description of models")
        return
    wanted = _entries(yaml.safe_load(text))
    changed = [model for model in sorted({*before, *wanted}) if before.get(model) != wanted.get(model)]
    for model in changed:
        place = f"{name}:{line_of(found, model)}" if model in before else name
        if model not in wanted:
            elsewhere = f"is described in {by_hand[model]}, too" if model in by_hand else ""
            yield ContractDrift(model, place, elsewhere or "is no table of dbt with a contract")
        elif model not in before:
            yield ContractDrift(model, place, "is missing")
        else:
            yield ContractDrift(model, place, preview(_changes(before[model], wanted[model]), width=120))
    if not changed:
        yield ContractDrift("", name, "was edited, though dbt reads the same in it")


def contradictions(model: DbtModel, contract: Contract, by_hand: str) -> Iterator[ContractDrift]:
    """Yield what contradicts the contract: in the model's SQL, and in its description by hand, if any."""
    columns = {column.name: column for column in contract.columns}
    if model.names_its_columns:
        lacking = [name for name in columns if name.isidentifier() and name.lower() not in model.words]
        if lacking:
            yield ContractDrift(
                model.name, f"contracts/{contract.path.name}", f"the model makes no column {preview(lacking)}"
            )
    for name, given in model.types if by_hand else ():
        if name not in columns:
            yield ContractDrift(model.name, by_hand, f"has column {name}, which the contract does not know")
        elif given and not _agree(given, columns[name]):
            yield ContractDrift(model.name, by_hand, f"{name} is {given}, in the contract {columns[name].sql_type}")
    for name, values in model.accepted if by_hand else ():
        for rule in contract.rules:
            allowed = rule.argument if isinstance(rule.argument, tuple) else ()
            if rule.kind == "enum" and rule.columns == (name,) and {*map(str, values)} != {*map(str, allowed)}:
                yield ContractDrift(
                    model.name, by_hand, f"{name} may be {preview(values)}, in the contract {preview(allowed)}"
                )


def line_of(text: str, model: str) -> int:
    """Return the line, from 1, at which a YAML file of dbt begins to describe a model; 1 when it does not."""
    import yaml

    whole = yaml.compose(text)
    lists = [value for key, value in whole.value if key.value in KEYS.values()] if whole else []
    for entry in (entry for found in lists for entry in found.value):
        if any(key.value == "name" and value.value == model for key, value in entry.value):
            return int(entry.start_mark.line) + 1
    return 1


def _entries(data: Any) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for key in KEYS.values() for entry in (data or {}).get(key) or ()}


def _changes(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for key in ("description", "config"):
        if before.get(key) != wanted.get(key):
            yield f"{key} differs"
    old, new = ({c["name"]: c for c in entry.get("columns") or ()} for entry in (before, wanted))
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield f"has column {name}, which the contract does not know"
        elif name not in old:
            yield f"lacks column {name}"
        elif old[name].get("data_type") != new[name]["data_type"]:
            yield f"{name} is {old[name].get('data_type')}, in the contract {new[name]['data_type']}"
        elif old[name] != new[name]:
            keys = [key for key in {**old[name], **new[name]} if old[name].get(key) != new[name].get(key)]
            yield f"{name} has other {' and '.join(keys)}"


def _agree(given: str, column: Column) -> bool:
    """Return whether a data type fits a column: any type of its kind where the contract asks for no particular one."""
    import duckdb

    try:
        found = duckdb.sqltype(given)
    except duckdb.Error:
        return False
    if column.sql_type == SQL_TYPES[column.logical_type][0]:
        return found.id in _KINDS.get(column.logical_type, {column.logical_type})
    return found == duckdb.sqltype(column.sql_type)
