"""The 25 rules of `shipments`, and how many rows break each: known before anybody looks."""

from __future__ import annotations

from typing import Literal

Key = Literal["integer", "string"]

RULES = (
    "id:required",
    "primary_key",
    "sku:required",
    "sku:pattern",
    "origin:required",
    "origin:pattern",
    "status:required",
    "status:enum",
    "quantity:required",
    "quantity:minimum",
    "quantity:maximum",
    "weight_kg:exclusive_minimum",
    "weight_kg:maximum",
    "price:required",
    "price:minimum",
    "price:maximum",
    "ordered_on:required",
    "express:required",
    "customer:required",
    "customer:min_length",
    "customer:max_length",
    "note:min_length",
    "note:max_length",
    "shipped_after_order",
    "delivered_was_shipped",
)

PERIOD = 10_000
"""One row of so many breaks each of the five rules: 0.01 %."""

ADDED_PERIOD = 100
"""Of rows that come later one in so many does: 1 %, so that the few of a small benchmark have faults, too."""

FAULTS = {"sku:pattern": 0.1, "quantity:maximum": 0.3, "status:enum": 0.5, "customer:required": 0.7, "primary_key": 0.9}
"""Where in a period the row with the fault stands, as a share: no row has two faults."""

PARTNER = 0.85
"""Where the row stands whose key the fifth fault takes: in another period, as far away as the file is long."""


def planted(rows: int) -> dict[str, int]:
    """Rows that break each of the 25 rules; both rows with the same key break it. `rows` is at least one period."""
    found = dict.fromkeys(RULES, 0) | {rule: _with_fault(rule, rows, PERIOD) for rule in FAULTS}
    return found | {"primary_key": 2 * found["primary_key"]}


def planted_in_addition(rows: int) -> dict[str, int]:
    """The same for the rows added to a table of `rows`; their keys are unique but for those that the table has."""
    return dict.fromkeys(RULES, 0) | {rule: _with_fault(rule, added_rows(rows), ADDED_PERIOD) for rule in FAULTS}


def added_rows(rows: int) -> int:
    """How many rows come later: one in a hundred."""
    return rows // 100


def position(rule: str, period: int) -> int:
    """Where in each period the row stands that breaks a rule."""
    return round(FAULTS[rule] * period)


def _with_fault(rule: str, rows: int, period: int) -> int:
    return (rows - 1 - position(rule, period)) // period + 1
