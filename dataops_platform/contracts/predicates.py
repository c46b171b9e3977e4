"""Rules as SQL conditions on one row: true where the row violates the rule, false or null elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from dataops_platform.contracts.contract import Rule
from dataops_platform.kit.sql import identifier, literal

INTEGERS = frozenset({"bigint", "int", "integer", "smallint", "tinyint"})


def untyped(name: str) -> str:
    """Return the quoted name of the column that is true where the value of `name` was not of its contracted type."""
    return identifier(f"_dp_untyped_{name}")


def violation(rule: Rule, sql_type: str = "") -> str | None:
    """Return SQL that is true for a row that breaks `rule`, on a column of `sql_type`.

    None for rules that need other rows, other tables or Python.
    """
    compile_rule = _BY_KIND.get(rule.kind)
    return None if compile_rule is None else compile_rule(rule, sql_type)


def _column(rule: Rule) -> str:
    return identifier(rule.columns[0])


def _enum(rule: Rule, sql_type: str) -> str:
    allowed = rule.argument if isinstance(rule.argument, tuple) else (rule.argument,)
    return f"{_column(rule)} not in ({', '.join(_value(value, sql_type) for value in allowed if value is not None)})"


def _comparison(operator: str, subject: str = "{}") -> Callable[[Rule, str], str]:
    def compiled(rule: Rule, sql_type: str) -> str:
        assert isinstance(rule.argument, str | int | float)
        return f"{subject.format(_column(rule))} {operator} {_value(rule.argument, sql_type)}"

    return compiled


def _value(value: str | int | float, sql_type: str) -> str:
    """Return a bound as SQL: exact for an exact column, rounded as the column rounds for a floating one."""
    if isinstance(value, float) and (sql_type.startswith("decimal") or sql_type in INTEGERS):
        return f"{Decimal(repr(value)):f}"
    return f"{literal(value)}::float" if isinstance(value, float) and sql_type in ("float", "real") else literal(value)


_BY_KIND: dict[str, Callable[[Rule, str], str]] = {
    "type": lambda rule, _: untyped(rule.columns[0]),
    "required": lambda rule, _: f"{_column(rule)} is null and not {untyped(rule.columns[0])}",
    "minimum": _comparison("<"),
    "maximum": _comparison(">"),
    "exclusive_minimum": _comparison("<="),
    "exclusive_maximum": _comparison(">="),
    "min_length": _comparison("<", "length({})"),
    "max_length": _comparison(">", "length({})"),
    "pattern": lambda rule, _: f"not regexp_matches({_column(rule)}, {literal(str(rule.argument))})",
    "enum": _enum,
    "expression": lambda rule, _: f"not ({rule.argument}\n)",
}
