"""The parser of ODCS 3.2 files: enforced keys become a `Contract`, misspelt ones are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from dataops_platform.contracts.column_types import BOUNDS, column_of, refuse_other_options
from dataops_platform.contracts.contract import Contract, Freshness, Rule, RuleKind, Value, enforced_digest
from dataops_platform.contracts.document import NOT_ENFORCED, Document, Property, Quality, Role, SchemaObject, Sla
from dataops_platform.contracts.quality_rules import quality_rules
from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.validation import validate
from dataops_platform.kit.yaml_file import Loc, YamlFile, read_yaml


def load_contract(path: Path) -> Contract:
    """Return the contract in an ODCS file.

    Raises: UsedWrongly when the file cannot be read as YAML, or says something unknown, badly typed or contradictory;
    each names `file:line:column`.
    """
    file = read_yaml(path)
    document = validate(Document, file)
    table = document.objects[0]
    _refuse_duplicate_columns(table, file)
    columns = tuple(column_of(prop, file, ("schema", 0, "properties", i)) for i, prop in enumerate(table.properties))
    rules = tuple(_rules(table, file))
    return Contract(
        id=document.id,
        version=document.version,
        table=table.name,
        owner=f"team:{document.team.name}",
        description=document.description.purpose or table.description or "",
        columns=columns,
        rules=rules,
        digest=enforced_digest(columns, rules),
        path=path,
        freshness=_freshness(document, table, file),
        tags=tuple(dict.fromkeys([*document.tags, *table.tags])),
        unenforced=tuple(_unenforced(document, file)),
    )


def _refuse_duplicate_columns(table: SchemaObject, file: YamlFile) -> None:
    """Refuse names that differ only in case (SQL takes them for one), and names reserved for the platform."""
    seen: dict[str, str] = {}
    for index, prop in enumerate(table.properties):
        place = file.place(("schema", 0, "properties", index, "name"))
        first = seen.setdefault(prop.name.lower(), place)
        if first != place:
            raise UsedWrongly("DP-C050", place=place, column=prop.name, first=first)
        if prop.name.lower().startswith("_dp_"):
            raise UsedWrongly("DP-C051", place=place, column=prop.name)


def _rules(table: SchemaObject, file: YamlFile) -> list[Rule]:
    rules: list[Rule] = []
    for index, prop in enumerate(table.properties):
        rules += _column_rules(prop, table, file, ("schema", 0, "properties", index))
    key = tuple(prop.name for prop in table.properties if prop.primaryKey)
    if key:
        rules.append(Rule("primary_key", "unique", key, place=file.place(("schema", 0))))
    rules += quality_rules(table.quality, table, file, ("schema", 0, "quality"))
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise UsedWrongly("DP-C053", place=rule.place, rule=rule.name)
        seen.add(rule.name)
    return rules


def _column_rules(prop: Property, table: SchemaObject, file: YamlFile, loc: Loc) -> list[Rule]:
    name, options = prop.name, prop.logicalTypeOptions
    refuse_other_options(prop, file, loc)

    def rule(kind: RuleKind, argument: Value | tuple[Value, ...] | None, *where: str | int) -> Rule:
        return Rule(f"{name}:{kind}", kind, (name,), argument, place=file.place((*loc, *where)))

    rules = [rule("type", prop.logicalType)]
    if prop.required or prop.primaryKey:
        rules.append(rule("required", None, "required"))
    if prop.unique:
        rules.append(rule("unique", None, "unique"))
    for option, kind in BOUNDS.items():
        if (bound := getattr(options, option)) is not None:
            rules.append(rule(kind, bound, "logicalTypeOptions", option))
    if prop.enum:
        rules.append(rule("enum", tuple(item.value for item in prop.enum), "enum"))
    for index, relationship in enumerate(prop.relationships):
        found = rule("relationship", relationship.to, "relationships", index)
        found = replace(found, name=f"{found.name}_{index + 1}") if index else found
        if not re.fullmatch(r"[a-z][a-z0-9_]*\.\w+", relationship.to):
            raise UsedWrongly("DP-C054", place=found.place, to=relationship.to)
        _refuse_unknown_self_reference(relationship.to, table, found.place)
        rules.append(found)
    return rules + quality_rules(prop.quality, table, file, (*loc, "quality"), name)


def _refuse_unknown_self_reference(to: str, table: SchemaObject, place: str) -> None:
    """Refuse a relationship of a table with itself that names an unknown column."""
    referred, _, name = to.partition(".")
    columns = [prop.name for prop in table.properties]
    if referred == table.name and name not in columns:
        raise UsedWrongly("DP-C017", place=place, to=to, table=referred, hint=did_you_mean(name, columns))


_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_WORDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SECONDS |= _WORDS | {f"{unit}s": seconds for unit, seconds in _WORDS.items()}


def _freshness(document: Document, table: SchemaObject, file: YamlFile) -> Freshness | None:
    """Return the first promise of freshness (or latency) in the file, or None."""
    for index, sla in enumerate(document.slaProperties):
        if sla.property.lower() not in ("freshness", "latency", "ly"):
            continue
        place = file.place(("slaProperties", index))
        unit = (sla.unit or "d").lower()
        if unit not in _SECONDS:
            raise UsedWrongly("DP-C072", place=place, unit=sla.unit, hint=did_you_mean(unit, _SECONDS))
        if isinstance(sla.value, bool) or not isinstance(sla.value, int | float) or sla.value <= 0:
            raise UsedWrongly("DP-C073", place=place, value=sla.value, unit=unit)
        column = (sla.element or document.slaDefaultElement or "").removeprefix(f"{table.name}.")
        known = [prop.name for prop in table.properties]
        if column and column not in known and column != table.name:
            raise UsedWrongly("DP-C074", place=place, column=column, table=table.name, hint=did_you_mean(column, known))
        return Freshness(float(sla.value) * _SECONDS[unit], column if column in known else "")
    return None


def _unenforced(model: BaseModel, file: YamlFile, loc: Loc = ()) -> Iterator[str]:
    """Yield the keys that nothing enforces, as `file:line:column key`."""
    for name, info in type(model).model_fields.items():
        value, at = getattr(model, name), (*loc, info.alias or name)
        if NOT_ENFORCED in info.metadata and name in model.model_fields_set:
            yield f"{file.place(at)} {info.alias or name}"
        for index, item in enumerate(value) if isinstance(value, list) else ():
            if isinstance(item, BaseModel):
                yield from _unenforced(item, file, (*at, index))
        if isinstance(value, BaseModel):
            yield from _unenforced(value, file, at)
    if isinstance(model, Quality) and model.type == "text":
        yield f"{file.place(loc)} quality of type text"
    if isinstance(model, Sla) and model.property.lower() not in ("freshness", "latency", "ly"):
        yield f"{file.place(loc)} slaProperties {model.property}"
    if isinstance(model, Role):
        yield f"{file.place(loc)} role {model.role}"
