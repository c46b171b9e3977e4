"""A rule as SQL: a boolean over one row that is true where the rule is violated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dataops_platform.contracts.contract import Rule
from dataops_platform.kit.sql import identifier, identifiers


@dataclass
class Parameters:
    """Values to bind, named in order of use."""

    values: dict[str, object] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        """The placeholder under which `value` will be bound."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"${name}"


def given(name: str) -> str:
    """The column that keeps a value as it was given, before the cast to its contracted type; quoted."""
    return identifier(f"_dp_given_{name}")


def violation(rule: Rule, parameters: Parameters) -> str | None:
    """SQL that is true (never null) for a row that breaks `rule`; None for rules that need other rows or tables."""
    compile_rule = _BY_KIND.get(rule.kind)
    return None if compile_rule is None else f"coalesce({compile_rule(rule, parameters)}, false)"


def group_violation(rule: Rule, staged: str) -> str:
    """SQL that is true for a staged row whose key occurs more than once in `staged`; a null in it excuses the row."""
    keys = identifiers(rule.columns)
    filled = " and ".join(f"{identifier(c)} is not null" for c in rule.columns)
    twice = f"select {keys} from {staged} where {filled} group by all having count(*) > 1"
    return f"(({filled}) and ({keys}) in ({twice}))"


def _column(rule: Rule) -> str:
    return identifier(rule.columns[0])


def _type(rule: Rule, _: Parameters) -> str:
    return f"{_column(rule)} is null and {given(rule.columns[0])} is not null"


def _required(rule: Rule, _: Parameters) -> str:
    return f"{_column(rule)} is null and {given(rule.columns[0])} is null"


def _enum(rule: Rule, parameters: Parameters) -> str:
    allowed = rule.argument if isinstance(rule.argument, tuple) else (rule.argument,)
    return f"{_column(rule)} not in ({', '.join(parameters.bind(value) for value in allowed)})"


def _comparison(operator: str, subject: str = "{}") -> Callable[[Rule, Parameters], str]:
    def compiled(rule: Rule, parameters: Parameters) -> str:
        return f"{subject.format(_column(rule))} {operator} {parameters.bind(rule.argument)}"

    return compiled


_BY_KIND: dict[str, Callable[[Rule, Parameters], str]] = {
    "type": _type,
    "required": _required,
    "minimum": _comparison("<"),
    "maximum": _comparison(">"),
    "exclusive_minimum": _comparison("<="),
    "exclusive_maximum": _comparison(">="),
    "min_length": _comparison("<", "length({})"),
    "max_length": _comparison(">", "length({})"),
    "pattern": lambda rule, parameters: f"not regexp_matches({_column(rule)}, {parameters.bind(rule.argument)})",
    "enum": _enum,
    "expression": lambda rule, _: f"not ({rule.argument}\n)",
}
