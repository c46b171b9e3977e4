"""Reads an ODCS 3.2 file, strictly: what is enforced becomes a `Contract`, what is misspelt is refused."""

from __future__ import annotations

import re
from pathlib import Path

from dataops_platform.contracts.contract import Column, Contract, LogicalType, Rule, RuleKind, Value, enforced_digest
from dataops_platform.contracts.document import Document, Property, Quality, SchemaObject
from dataops_platform.kit.errors import UsedWrongly, did_you_mean, nearest
from dataops_platform.kit.sql import identifier
from dataops_platform.kit.strict import validate
from dataops_platform.kit.yaml_file import Loc, YamlFile, read_yaml

SQL_TYPES: dict[LogicalType, tuple[str, ...]] = {
    "string": ("varchar", "text"),
    "integer": ("bigint", "int", "integer", "smallint", "tinyint"),
    "number": ("double", "float", "real"),
    "boolean": ("boolean",),
    "date": ("date",),
    "timestamp": ("timestamp", "timestamptz"),
    "time": ("time",),
}
"""The physical types of each logical type, first the one that stands when none is named. `decimal` is a number, too."""
BOUNDS: dict[str, RuleKind] = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
}
_NUMERIC = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_TEXTUAL = frozenset({"minLength", "maxLength", "pattern"})
SAYS: dict[LogicalType, tuple[frozenset[str], tuple[type, ...]]] = {
    "string": (_TEXTUAL, (str,)),
    "integer": (_NUMERIC, (int,)),
    "number": (_NUMERIC, (int, float)),
    "boolean": (frozenset(), (bool,)),
}
"""Which options and which enum values say something about a type; none do about dates and times."""


def load_contract(path: Path) -> Contract:
    """The contract in an ODCS file.

    Raises: UsedWrongly DP-C001 when the file cannot be read as YAML, DP-C002 when it says something unknown, badly
    typed or contradictory; both name `file:line:column`.
    """
    file = read_yaml(path, "DP-C001")
    document = validate(Document, file, "DP-C002")
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
        digest=enforced_digest(columns, rules),
        path=path,
    )


def _refuse_twice(table: SchemaObject, file: YamlFile) -> None:
    """Refuses names that SQL takes for one another (it does not tell upper from lower case), and the platform's own."""
    seen: dict[str, str] = {}
    for index, prop in enumerate(table.properties):
        where = file.place(("schema", 0, "properties", index, "name"))
        before = seen.setdefault(prop.name.lower(), where)
        if before != where:
            raise UsedWrongly("DP-C002", f"{where} names column {prop.name!r} a second time, after {before}")
        if prop.name.lower().startswith("_dp_"):
            raise UsedWrongly("DP-C002", f"{where}: names starting with _dp_ are the platform's own")


def _column(prop: Property, file: YamlFile, loc: Loc) -> Column:
    known = SQL_TYPES[prop.logicalType]
    sql_type = (prop.physicalType or known[0]).lower().replace(" ", "")
    if sql_type not in known and not (prop.logicalType == "number" and _is_decimal(sql_type)):
        decimal = " or decimal(p,s) with s <= p <= 38" if prop.logicalType == "number" else ""
        raise UsedWrongly(
            "DP-C002",
            f"{file.place((*loc, 'physicalType'))} {prop.physicalType!r} is no {prop.logicalType}",
            fix=f"use {' or '.join(known)}{decimal}",
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


def _is_decimal(sql_type: str) -> bool:
    match = re.fullmatch(r"decimal\(([0-9]+),([0-9]+)\)", sql_type)
    return match is not None and int(match[2]) <= int(match[1]) <= 38 and int(match[1]) > 0


def _rules(table: SchemaObject, file: YamlFile) -> list[Rule]:
    rules: list[Rule] = []
    for index, prop in enumerate(table.properties):
        rules += _column_rules(prop, table, file, ("schema", 0, "properties", index))
    key = tuple(prop.name for prop in table.properties if prop.primaryKey)
    if key:
        rules.append(Rule("primary_key", "unique", key, place=file.place(("schema", 0))))
    rules += _quality_rules(table.quality, "", table, file, ("schema", 0, "quality"))
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise UsedWrongly("DP-C002", f"{rule.place} is a second rule called {rule.name!r}", fix="rename one")
        seen.add(rule.name)
    return rules


def _column_rules(prop: Property, table: SchemaObject, file: YamlFile, loc: Loc) -> list[Rule]:
    name, options = prop.name, prop.logicalTypeOptions
    _refuse_options_of_another_type(prop, file, loc)

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
        if not re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", relationship.to):
            raise UsedWrongly("DP-C002", f"{found.place} {relationship.to!r} must be written table.column")
        rules.append(found)
    return rules + _quality_rules(prop.quality, f"{name}:", table, file, (*loc, "quality"))


def _refuse_options_of_another_type(prop: Property, file: YamlFile, loc: Loc) -> None:
    options, values = SAYS.get(prop.logicalType, (frozenset(), ()))
    for option in sorted(prop.logicalTypeOptions.model_fields_set - options):
        place = file.place((*loc, "logicalTypeOptions", option))
        raise UsedWrongly("DP-C002", f"{place} {option!r} says nothing about a {prop.logicalType}")
    for index, item in enumerate(prop.enum):
        if type(item.value) not in values:
            place = file.place((*loc, "enum", index, "value"))
            raise UsedWrongly("DP-C002", f"{place} {item.value!r} is no value of an enum of type {prop.logicalType}")
    if prop.logicalTypeOptions.pattern is not None:
        try:
            re.compile(prop.logicalTypeOptions.pattern)
        except re.error as error:
            place = file.place((*loc, "logicalTypeOptions", "pattern"))
            raise UsedWrongly("DP-C002", f"{place} is not a regular expression: {error}") from error


def _quality_rules(items: list[Quality], prefix: str, table: SchemaObject, file: YamlFile, loc: Loc) -> list[Rule]:
    rules = []
    for index, item in enumerate(items):
        place = file.place((*loc, index))
        if item.type == "text":
            if item.engine or item.implementation:
                raise UsedWrongly("DP-C002", f"{place} is text, which enforces nothing", fix="use type: custom")
            continue
        if not (item.name and item.engine and item.implementation):
            raise UsedWrongly(
                "DP-C002",
                f"{place} lacks name, engine or implementation",
                fix='a rule reads: name: …, engine: duckdb, implementation: "<boolean SQL expression over one row>"',
            )
        used = _columns_used(item.implementation, table)
        if not used:
            raise UsedWrongly(
                "DP-C002", f"{place} rule {item.name!r} names no column of {table.name}; {_hint(item, table)}"
            )
        name, prose = f"{prefix}{item.name}", item.description or ""
        rules.append(Rule(name, "expression", used, item.implementation, item.severity, prose, place))
    return rules


def _columns_used(expression: str, table: SchemaObject) -> tuple[str, ...]:
    words = _words(expression)
    names = [prop.name for prop in table.properties]
    return tuple(name for name in names if name.lower() in words or identifier(name) in expression)


def _words(expression: str) -> set[str]:
    return set(re.findall(r"[a-z_][a-z0-9_]*", expression.lower()))


def _hint(item: Quality, table: SchemaObject) -> str:
    names = [prop.name for prop in table.properties]
    near = sorted(word for word in _words(item.implementation or "") if nearest(word, names))
    return did_you_mean(near[0] if near else "", names)
