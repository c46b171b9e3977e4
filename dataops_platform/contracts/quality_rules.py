"""The quality rules of an ODCS file: SQL, metrics of the standard, and checks in pandera's API."""

from __future__ import annotations

import re
from typing import Any

from dataops_platform.contracts.contract import Rule, RuleKind
from dataops_platform.contracts.document import LIMITS, Arguments, Quality, SchemaObject
from dataops_platform.kit.errors import UsedWrongly, did_you_mean, nearest, preview
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.kit.yaml_file import Loc, YamlFile


def quality_rules(items: list[Quality], table: SchemaObject, file: YamlFile, loc: Loc, column: str = "") -> list[Rule]:
    """Return the rules below one key `quality`: of a column, or of the table.

    Raises: UsedWrongly DP-C064 to DP-C071 for keys of another type of rule, or a rule that could never be evaluated.
    """
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
