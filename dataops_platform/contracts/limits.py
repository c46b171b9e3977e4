"""Limits of a number over all rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dataops_platform.contracts.contract import Rule


def broken_limit(rule: Rule, number: float | None) -> str:
    """Return how a number breaks a limit of its rule, in words; empty when it holds all. None breaks every limit."""
    for name, bound in rule.limits:
        if number is None or not _HOLDS[name](number, bound):
            found = "no number" if number is None else f"{number:g}"
            limit = f"{bound[0]:g} and {bound[1]:g}" if isinstance(bound, tuple) else f"{bound:g}"
            return f"is {found}, {name} {limit}"
    return ""


_HOLDS: dict[str, Callable[[float, Any], bool]] = {
    "mustBe": lambda number, bound: number == bound,
    "mustNotBe": lambda number, bound: number != bound,
    "mustBeGreaterThan": lambda number, bound: number > bound,
    "mustBeGreaterOrEqualTo": lambda number, bound: number >= bound,
    "mustBeLessThan": lambda number, bound: number < bound,
    "mustBeLessOrEqualTo": lambda number, bound: number <= bound,
    "mustBeBetween": lambda number, bound: bound[0] <= number <= bound[1],
    "mustNotBeBetween": lambda number, bound: not bound[0] <= number <= bound[1],
}
