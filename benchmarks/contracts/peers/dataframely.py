"""dataframely: `filter` of a lazy polars frame, of which only the failing rows and their rules are asked for.

`validate` would do the same on a frame in memory and put the numbers into the words of an error.
"""

from __future__ import annotations

from typing import Any

from benchmarks.contracts.findings import Finding, each
from benchmarks.contracts.side import Task, answer

KINDS = {"nullability": "required", "min": "minimum", "max": "maximum", "min_exclusive": "exclusive_minimum"}
KINDS |= {"regex": "pattern", "check": "enum"}
"""Dataframely's names of kinds of rules that the contract calls otherwise."""

STATUSES = ["new", "packed", "shipped", "delivered", "returned"]


def schema(key: str) -> Any:
    """The 25 rules."""
    import dataframely as dy
    import polars as pl

    number = dy.Int64 if key == "integer" else dy.String

    class Shipments(dy.Schema):
        id = number(primary_key=True)
        sku = dy.String(nullable=False, regex=r"^[A-Z]{3}-[0-9]{4}$")
        origin = dy.String(nullable=False, regex=r"^[A-Z]{3}$")
        status = dy.String(nullable=False, check=lambda column: column.is_in(STATUSES))
        quantity = dy.Int64(nullable=False, min=1, max=1000)
        weight_kg = dy.Float64(nullable=True, min_exclusive=0, max=30000)
        price = dy.Decimal(12, 2, nullable=False, min=0, max=100000)
        ordered_on = dy.Date(nullable=False)
        shipped_at = dy.Datetime(nullable=True)
        express = dy.Bool(nullable=False)
        customer = dy.String(nullable=False, min_length=8, max_length=8)
        note = dy.String(nullable=True, min_length=1, max_length=80)

        @dy.rule()
        def shipped_after_order(cls) -> pl.Expr:  # noqa: N805
            return pl.col("shipped_at") >= pl.col("ordered_on")

        @dy.rule()
        def delivered_was_shipped(cls) -> pl.Expr:  # noqa: N805
            return (pl.col("status") != "delivered") | pl.col("shipped_at").is_not_null()

    return Shipments


def judge(task: Task) -> list[Finding]:
    """Failing rows of each rule, as the failure counts them."""
    import polars as pl

    _, failure = schema(task.key).filter(pl.scan_parquet(task.rows))
    return each({_rule_of(name): rows for name, rows in failure.counts().items()})


def _rule_of(name: str) -> str:
    column, _, kind = name.partition("|")
    return f"{column}:{KINDS.get(kind, kind)}" if kind else column


if __name__ == "__main__":
    answer(["polars", "dataframely"], judge)
