"""Reads an ODCS 3.2 file, strictly: what is enforced becomes a `Contract`, what is misspelt is refused.

Source: Open Data Contract Standard 3.2, https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from dataops_platform.contracts.contract import Column, Contract, LogicalType, Rule, Severity, Value
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.strict import StrictModel, validate
from dataops_platform.kit.yaml_file import Loc, YamlFile, read_yaml

SQL_TYPES: dict[LogicalType, str] = {
    "string": "varchar",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "time": "time",
}
PHYSICAL_TYPES: dict[LogicalType, re.Pattern[str]] = {
    "string": re.compile(r"varchar|text"),
    "integer": re.compile(r"tinyint|smallint|integer|int|bigint"),
    "number": re.compile(r"real|float|double|decimal\(\d{1,2},\d{1,2}\)"),
    "boolean": re.compile(r"boolean"),
    "date": re.compile(r"date"),
    "timestamp": re.compile(r"timestamp|timestamptz"),
    "time": re.compile(r"time"),
}


class _Described(StrictModel):
    id: str | None = None
    description: str | None = None
    tags: list[str] = []
    customProperties: list[_CustomProperty] = []
    authoritativeDefinitions: list[dict[str, Any]] = []


class _CustomProperty(StrictModel):
    id: str | None = None
    property: str
    value: Any
    description: str | None = None
    vendor: str | None = None


class _EnumValue(_Described):
    value: Value
    label: str | None = None


class _Quality(_Described):
    name: str | None = None
    type: Literal["custom", "text"] = "custom"
    engine: Literal["duckdb"] | None = None
    implementation: str | None = None
    severity: Severity = "error"
    dimension: str | None = None
    businessImpact: str | None = None


class _Relationship(StrictModel):
    id: str | None = None
    type: Literal["foreignKey"] = "foreignKey"
    to: str
    customProperties: list[_CustomProperty] = []


class _TypeOptions(StrictModel):
    minimum: float | int | None = None
    maximum: float | int | None = None
    exclusiveMinimum: float | int | None = None
    exclusiveMaximum: float | int | None = None
    minLength: int | None = None
    maxLength: int | None = None
    pattern: str | None = None


class _Property(_Described):
    name: str
    logicalType: LogicalType
    physicalType: str | None = None
    businessName: str | None = None
    required: bool = False
    unique: bool = False
    primaryKey: bool = False
    primaryKeyPosition: int | None = None
    classification: str | None = None
    logicalTypeOptions: _TypeOptions = _TypeOptions()
    enum: list[_EnumValue] = []
    relationships: list[_Relationship] = []
    quality: list[_Quality] = []
    examples: list[Any] = []
    criticalDataElement: bool | None = None
    transformLogic: str | None = None
    transformDescription: str | None = None


class _SchemaObject(_Described):
    name: str
    logicalType: Literal["object"] = "object"
    physicalType: str | None = None
    businessName: str | None = None
    dataGranularityDescription: str | None = None
    properties: list[_Property] = Field(min_length=1)
    quality: list[_Quality] = []


class _Member(_Described):
    username: str
    name: str | None = None
    role: str | None = None
    dateIn: str | None = None
    dateOut: str | None = None


class _Team(_Described):
    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    members: list[_Member] = []


class _Role(_Described):
    role: str
    access: str | None = None
    firstLevelApprovers: str | None = None
    secondLevelApprovers: str | None = None


class _Description(StrictModel):
    purpose: str | None = None
    usage: str | None = None
    limitations: str | None = None
    customProperties: list[_CustomProperty] = []
    authoritativeDefinitions: list[dict[str, Any]] = []


class _Document(StrictModel):
    apiVersion: str = Field(pattern=r"^v3\.\d+\.\d+$")
    kind: Literal["DataContract"]
    id: str
    name: str | None = None
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    status: str = "active"
    domain: str | None = None
    tenant: str | None = None
    dataProduct: str | None = None
    tags: list[str] = []
    description: _Description = _Description()
    team: _Team
    roles: list[_Role] = []
    objects: list[_SchemaObject] = Field(alias="schema", min_length=1, max_length=1)
    support: list[dict[str, Any]] = []
    authoritativeDefinitions: list[dict[str, Any]] = []
    customProperties: list[_CustomProperty] = []


def load_contract(path: Path) -> Contract:
    """The contract in an ODCS file.

    Raises: UsedWrongly DP-C001 when the file cannot be read as YAML, DP-C002 when it says something unknown, badly
    typed or contradictory; both name `file:line:column`.
    """
    file = read_yaml(path, "DP-C001")
    document = validate(_Document, file, "DP-C002")
    table = document.objects[0]
    _refuse_twice(table, file)
    columns = tuple(_column(prop, file, ("schema", 0, "properties", i)) for i, prop in enumerate(table.properties))
    rules = tuple(_rules(table, file))
    return Contract(
        id=document.id,
        version=document.version,
        table=table.name,
        owner=f"team:{document.team.name}",
        description=document.description.purpose or table.description or "",
        columns=columns,
        rules=rules,
        digest=_digest(columns, rules),
        path=path,
    )


def _refuse_twice(table: _SchemaObject, file: YamlFile) -> None:
    seen: set[str] = set()
    for index, prop in enumerate(table.properties):
        where = file.place(("schema", 0, "properties", index, "name"))
        if prop.name in seen:
            raise UsedWrongly("DP-C002", f"{where} names column {prop.name!r} twice")
        if prop.name.startswith("_dp_"):
            raise UsedWrongly("DP-C002", f"{where}: names starting with _dp_ are the platform's own")
        seen.add(prop.name)


def _column(prop: _Property, file: YamlFile, loc: Loc) -> Column:
    sql_type = (prop.physicalType or SQL_TYPES[prop.logicalType]).lower().replace(" ", "")
    if not PHYSICAL_TYPES[prop.logicalType].fullmatch(sql_type):
        raise UsedWrongly(
            "DP-C002",
            f"{file.place((*loc, 'physicalType'))} {prop.physicalType!r} is no {prop.logicalType}",
            fix=f"use {PHYSICAL_TYPES[prop.logicalType].pattern.replace('|', ' or ')}",
        )
    known_at = next((p.value for p in prop.customProperties if p.property == "knownAt"), "")
    return Column(
        name=prop.name,
        logical_type=prop.logicalType,
        sql_type=sql_type,
        description=prop.description or "",
        required=prop.required or prop.primaryKey,
        unique=prop.unique,
        primary_key=prop.primaryKey,
        classification=prop.classification or "",
        known_at=str(known_at),
    )


def _rules(table: _SchemaObject, file: YamlFile) -> list[Rule]:
    rules: list[Rule] = []
    for index, prop in enumerate(table.properties):
        rules += _column_rules(prop, table, file, ("schema", 0, "properties", index))
    key = tuple(prop.name for prop in table.properties if prop.primaryKey)
    if key:
        rules.append(Rule("primary_key", "unique", key))
    rules += _quality_rules(table.quality, "", table, file, ("schema", 0, "quality"))
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise UsedWrongly("DP-C002", f"{file.place(('schema', 0))} has two rules called {name!r}", fix="rename one")
    return rules


def _column_rules(prop: _Property, table: _SchemaObject, file: YamlFile, loc: Loc) -> list[Rule]:
    name, options = prop.name, prop.logicalTypeOptions
    _refuse_options_of_another_type(prop, file, loc)
    rules = [Rule(f"{name}:type", "type", (name,), prop.logicalType)]
    if prop.required or prop.primaryKey:
        rules.append(Rule(f"{name}:required", "required", (name,)))
    if prop.unique:
        rules.append(Rule(f"{name}:unique", "unique", (name,)))
    bounds: list[tuple[Any, Any]] = [
        ("minimum", options.minimum),
        ("maximum", options.maximum),
        ("exclusive_minimum", options.exclusiveMinimum),
        ("exclusive_maximum", options.exclusiveMaximum),
        ("min_length", options.minLength),
        ("max_length", options.maxLength),
        ("pattern", options.pattern),
        ("enum", tuple(item.value for item in prop.enum) or None),
    ]
    rules += [Rule(f"{name}:{kind}", kind, (name,), bound) for kind, bound in bounds if bound is not None]
    for relationship in prop.relationships:
        if not re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", relationship.to):
            raise UsedWrongly(
                "DP-C002", f"{file.place((*loc, 'relationships'))} {relationship.to!r} must be written table.column"
            )
        rules.append(Rule(f"{name}:relationship", "relationship", (name,), relationship.to))
    rules += _quality_rules(prop.quality, f"{name}:", table, file, (*loc, "quality"))
    return rules


def _refuse_options_of_another_type(prop: _Property, file: YamlFile, loc: Loc) -> None:
    numeric = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    textual = {"minLength", "maxLength", "pattern"}
    allowed = (
        textual if prop.logicalType == "string" else numeric if prop.logicalType in ("integer", "number") else set()
    )
    for option in sorted(prop.logicalTypeOptions.model_fields_set - allowed):
        raise UsedWrongly(
            "DP-C002",
            f"{file.place((*loc, 'logicalTypeOptions', option))} {option!r} says nothing about a {prop.logicalType}",
        )
    if prop.logicalTypeOptions.pattern is not None:
        try:
            re.compile(prop.logicalTypeOptions.pattern)
        except re.error as error:
            place = file.place((*loc, "logicalTypeOptions", "pattern"))
            raise UsedWrongly("DP-C002", f"{place} is not a regular expression: {error}") from error


def _quality_rules(items: list[_Quality], prefix: str, table: _SchemaObject, file: YamlFile, loc: Loc) -> list[Rule]:
    rules = []
    for index, item in enumerate(items):
        if item.type == "text":
            continue
        place = file.place((*loc, index))
        if not (item.name and item.engine and item.implementation):
            raise UsedWrongly(
                "DP-C002",
                f"{place} lacks name, engine or implementation",
                fix='a rule reads: name: …, engine: duckdb, implementation: "<boolean SQL expression over one row>"',
            )
        used = _columns_used(item.implementation, table)
        if not used:
            words = set(re.findall(r"[a-z_][a-z0-9_]*", item.implementation.lower()))
            hint = did_you_mean(min(words, default=""), [prop.name for prop in table.properties])
            raise UsedWrongly("DP-C002", f"{place} rule {item.name!r} names no column of {table.name}; {hint}")
        rules.append(
            Rule(f"{prefix}{item.name}", "expression", used, item.implementation, item.severity, item.description or "")
        )
    return rules


def _columns_used(expression: str, table: _SchemaObject) -> tuple[str, ...]:
    words = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", expression))
    return tuple(prop.name for prop in table.properties if prop.name in words)


def _digest(columns: tuple[Column, ...], rules: tuple[Rule, ...]) -> str:
    return digest_of(
        {
            "columns": [[c.name, c.sql_type, c.required, c.unique, c.primary_key, c.known_at] for c in columns],
            "rules": [[r.name, r.kind, list(r.columns), _plain(r.argument), r.severity] for r in rules],
        }
    )


def _plain(argument: object) -> object:
    return list(argument) if isinstance(argument, tuple) else argument
