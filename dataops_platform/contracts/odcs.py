"""The parser of ODCS 3.2 files: enforced keys become a `Contract`, misspelt ones are refused."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dataops_platform.contracts.contract import (
    Column,
    Contract,
    Freshness,
    LogicalType,
    Rule,
    RuleKind,
    Value,
    enforced_digest,
)
from dataops_platform.contracts.document import (
    LIMITS,
    NOT_ENFORCED,
    Arguments,
    Document,
    Property,
    Quality,
    Role,
    SchemaObject,
    Sla,
    TypeOptions,
)
from dataops_platform.contracts.sql_check import pattern_error
from dataops_platform.kit.errors import UsedWrongly, did_you_mean, nearest, preview
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.kit.validation import validate
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
"""The physical types of each logical type; the first is the default. `decimal(p,s)` is a number, too."""
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
APPLICABLE: dict[LogicalType, tuple[frozenset[str], tuple[type, ...]]] = {
    "string": (_TEXTUAL, (str,)),
    "integer": (_NUMERIC, (int,)),
    "number": (_NUMERIC, (int, float)),
    "boolean": (frozenset(), (bool,)),
}
"""The options, and the Python types of enum values, that apply to a logical type; none apply to dates and times."""


def load_contract(path: Path) -> Contract:
    """Return the contract in an ODCS file.

    Raises: UsedWrongly when the file cannot be read as YAML, or says something unknown, badly typed or contradictory;
    each names `file:line:column`.
    """
    file = read_yaml(path)
    document = validate(Document, file)
    table = document.objects[0]
    _refuse_duplicate_columns(table, file)
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


def _column(prop: Property, file: YamlFile, loc: Loc) -> Column:
    known = SQL_TYPES[prop.logicalType]
    sql_type = (prop.physicalType or known[0]).lower().replace(" ", "")
    if sql_type not in known and not (prop.logicalType == "number" and _is_decimal(sql_type)):
        decimal = ["decimal(p,s) with s <= p <= 38"] if prop.logicalType == "number" else []
        raise UsedWrongly(
            "DP-C052",
            place=file.place((*loc, "physicalType")),
            type=prop.physicalType,
            logical_type=prop.logicalType,
            known=" or ".join([*known, *decimal]),
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
        tags=tuple(prop.tags),
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
    rules += _quality_rules(table.quality, table, file, ("schema", 0, "quality"))
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise UsedWrongly("DP-C053", place=rule.place, rule=rule.name)
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
        found = replace(found, name=f"{found.name}_{index + 1}") if index else found
        if not re.fullmatch(r"[a-z][a-z0-9_]*\.\w+", relationship.to):
            raise UsedWrongly("DP-C054", place=found.place, to=relationship.to)
        _refuse_unknown_self_reference(relationship.to, table, found.place)
        rules.append(found)
    return rules + _quality_rules(prop.quality, table, file, (*loc, "quality"), name)


def _refuse_unknown_self_reference(to: str, table: SchemaObject, place: str) -> None:
    """Refuse a relationship of a table with itself that names an unknown column."""
    referred, _, name = to.partition(".")
    columns = [prop.name for prop in table.properties]
    if referred == table.name and name not in columns:
        raise UsedWrongly("DP-C017", place=place, to=to, table=referred, hint=did_you_mean(name, columns))


def _refuse_options_of_another_type(prop: Property, file: YamlFile, loc: Loc) -> None:
    options, values = APPLICABLE.get(prop.logicalType, (frozenset(), ()))
    checked = {name for name, info in TypeOptions.model_fields.items() if NOT_ENFORCED not in info.metadata}
    for option in sorted(prop.logicalTypeOptions.model_fields_set & checked - options):
        place = file.place((*loc, "logicalTypeOptions", option))
        raise UsedWrongly("DP-C058", place=place, option=option, logical_type=prop.logicalType)
    for index, item in enumerate(prop.enum):
        if type(item.value) not in values:
            place = file.place((*loc, "enum", index, "value"))
            raise UsedWrongly("DP-C059", place=place, value=item.value, logical_type=prop.logicalType)
    _refuse_contradictions(prop.logicalTypeOptions, file, (*loc, "logicalTypeOptions"))
    if prop.enum and prop.logicalType == "number" and (prop.physicalType or "").lower() in ("float", "real"):
        raise UsedWrongly("DP-C060", place=file.place((*loc, "enum")), type=prop.physicalType)
    if prop.logicalTypeOptions.pattern is not None:
        place = file.place((*loc, "logicalTypeOptions", "pattern"))
        _refuse_invalid_pattern(prop.logicalTypeOptions.pattern, place)


def _refuse_invalid_pattern(pattern: str, place: str) -> None:
    """Refuse a text that is a regular expression neither for Python nor for DuckDB (RE2), which judges rows."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of sets that Python may once read otherwise
            re.compile(pattern)
    except re.error as error:
        if pattern_error(pattern):
            raise UsedWrongly("DP-C061", place=place, reason=error) from error


def _refuse_contradictions(options: TypeOptions, file: YamlFile, loc: Loc) -> None:
    """Refuse bounds that no value can hold, and bounds with more digits than a number keeps."""
    floors = [(options.minimum, False, "minimum"), (options.exclusiveMinimum, True, "exclusiveMinimum")]
    ceilings = [(options.maximum, False, "maximum"), (options.exclusiveMaximum, True, "exclusiveMaximum")]
    floors += [(options.minLength, False, "minLength")]
    ceilings += [(options.maxLength, False, "maxLength")]
    for low, open_below, below in floors:
        for high, open_above, above in ceilings:
            if low is None or high is None or below.endswith("Length") != above.endswith("Length"):
                continue
            if low > high or (low == high and (open_below or open_above)):
                place = file.place((*loc, above))
                raise UsedWrongly("DP-C062", place=place, above=above, high=high, below=below, low=low)
    for bound, _, name in (*floors, *ceilings):
        if isinstance(bound, float) and abs(bound) >= 2**53:  # from here on a double skips whole numbers
            raise UsedWrongly("DP-C063", place=file.place((*loc, name)))


def _quality_rules(items: list[Quality], table: SchemaObject, file: YamlFile, loc: Loc, column: str = "") -> list[Rule]:
    rules = []
    for index, item in enumerate(items):
        place = file.place((*loc, index))
        _refuse_keys_of_another_type(item, file, (*loc, index))
        prefix = f"{column}:" if column else ""
        if item.type == "custom":
            name, kind, columns, argument = _custom(item, table, column, place)
        elif item.type == "library":
            name, kind, columns, argument = _metric(item, table, column, place)
        elif item.type == "sql":
            name, kind, columns = item.name or "", "query", (column,) if column else ()
            argument = (item.query or "").replace("${property}", identifier(column) if column else "")
        else:
            continue  # text: prose, listed by `unenforced`
        limits = _limits(item)
        if item.type in ("library", "sql") and not limits:
            raise UsedWrongly("DP-C064", place=place, limits=", ".join(LIMITS))
        described, counts = item.description or "", _counted_rule(item, columns)
        rules.append(Rule(prefix + name, kind, columns, argument, item.severity, described, place, limits, counts))
    return rules


_KEYS_OF = {
    "custom": {"engine", "implementation", "arguments"},
    "library": {"metric", "arguments", "unit", *LIMITS},
    "sql": {"query", *LIMITS},
    "text": set[str](),
}
_NEEDED = {"custom": ("name", "engine", "implementation"), "library": ("metric",), "sql": ("name", "query"), "text": ()}


def _refuse_keys_of_another_type(item: Quality, file: YamlFile, loc: Loc) -> None:
    allowed = _KEYS_OF[item.type]
    for key in sorted(item.model_fields_set & (set().union(*_KEYS_OF.values()) - allowed)):
        raise UsedWrongly("DP-C065", place=file.place((*loc, key)), key=key, type=item.type)
    missing = [key for key in _NEEDED[item.type] if not getattr(item, key)]
    if missing:
        raise UsedWrongly("DP-C066", place=file.place(loc), keys=preview(missing), shape=_SHAPES[item.type])


_SHAPES = {
    "custom": 'name: …, engine: duckdb, implementation: "<boolean SQL expression over one row>"',
    "library": "type: library, metric: nullValues, mustBeLessThan: 5",
    "sql": 'type: sql, name: …, query: "select count(*) from ${object} where …", mustBe: 0',
    "text": "",
}


def _custom(item: Quality, table: SchemaObject, column: str, place: str) -> tuple[str, RuleKind, tuple[str, ...], str]:
    name, implementation = item.name or "", item.implementation or ""
    known = [prop.name for prop in table.properties]
    if item.engine == "pandera":
        named = tuple(item.arguments.properties) or ((column,) if column else tuple(known))
        for other in named:
            if other not in known:
                hint = did_you_mean(other, known)
                raise UsedWrongly("DP-C067", place=place, rule=name, column=other, table=table.name, hint=hint)
        if not re.fullmatch(r"[\w.]+:\w+", implementation):
            raise UsedWrongly("DP-C068", place=place, rule=name, given=implementation)
        return name, "python", named, implementation
    used = _columns_used(implementation, table)
    if not used:
        raise UsedWrongly("DP-C069", place=place, rule=name, table=table.name, hint=_hint(item, table))
    return name, "expression", used, implementation


def _metric(item: Quality, table: SchemaObject, column: str, place: str) -> tuple[str, RuleKind, tuple[str, ...], str]:
    """Return a metric of the standard as a rule: its name, kind and columns, and an SQL aggregate over a batch."""
    arguments, known = item.arguments, [prop.name for prop in table.properties]
    columns = tuple(arguments.properties) if item.metric == "duplicateValues" and arguments.properties else (column,)
    if item.metric == "rowCount":
        columns = ()
    for name in columns:
        if name not in known:
            raise UsedWrongly(
                "DP-C070", place=place, metric=item.metric, table=table.name, hint=did_you_mean(name, known)
            )
    names = [identifier(name) for name in columns]
    filled = " and ".join(f"{name} is not null" for name in names)
    if item.metric == "invalidValues" and not (arguments.validValues or arguments.pattern):
        raise UsedWrongly("DP-C071", place=place)
    first = names[0] if names else ""
    among, invalid = _is_one_of(first, arguments.missingValues), _is_invalid(first, arguments)
    counts = {
        "rowCount": "count(*)",
        "nullValues": f"count(*) filter ({first} is null)",
        "missingValues": f"count(*) filter ({first} is null or {among})",
        "invalidValues": f"count(*) filter ({invalid})",
        "duplicateValues": f"(count(*) filter ({filled}) - count(distinct ({', '.join(names)})) filter ({filled}))",
    }
    count = counts[str(item.metric)]
    if item.unit == "percent":
        count = f"coalesce(100.0 * {count} / nullif(count(*), 0), 0)"
    return item.name or str(item.metric), "measure", columns, count


def _counted_rule(item: Quality, columns: tuple[str, ...]) -> Rule | None:
    """Return the row rule whose violations a metric counts, or None."""
    kinds: dict[str | None, RuleKind] = {"nullValues": "required", "duplicateValues": "unique", "invalidValues": "enum"}
    if item.type != "library" or item.metric not in kinds or item.arguments.pattern:
        return None
    values = tuple(item.arguments.validValues) if item.metric == "invalidValues" else None
    return Rule(str(item.metric), kinds[item.metric], columns, values, item.severity)


def _is_one_of(name: str, values: list[Any]) -> str:
    texts = [f"{name} = {literal(v) if isinstance(v, str) else v}" for v in values if v is not None]
    return f"({' or '.join(texts)})" if texts else "false"


def _is_invalid(name: str, arguments: Arguments) -> str:
    tests = [f"not regexp_matches({name}, {literal(arguments.pattern)})"] if arguments.pattern else []
    return " or ".join([*tests, f"not {_is_one_of(name, arguments.validValues)}"] if arguments.validValues else tests)


def _limits(item: Quality) -> tuple[tuple[str, float | tuple[float, float]], ...]:
    found = [(key, getattr(item, key)) for key in LIMITS if getattr(item, key) is not None]
    return tuple((key, (value[0], value[1]) if isinstance(value, list) else value) for key, value in found)


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
