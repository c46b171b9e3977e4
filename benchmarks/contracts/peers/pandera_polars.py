"""pandera on a polars frame: `validate(lazy=True)` of a frame in memory, as a lazy one has only its types judged."""

from __future__ import annotations

from typing import Any

from benchmarks.contracts.findings import Finding, each
from benchmarks.contracts.side import Task, answer

STATUSES = ["new", "packed", "shipped", "delivered", "returned"]
NAMES = {"not_nullable": "required", "field_uniqueness": "primary_key", "multiple_fields_uniqueness": "primary_key"}
"""Pandera's own names of the checks that are arguments of a column or a table."""


def schema(key: str) -> Any:
    """The 25 rules; each check has the name of its rule."""
    import pandera.polars as pa
    import polars as pl

    check = pa.Check
    number = pl.Int64() if key == "integer" else pl.String()
    return pa.DataFrameSchema(
        {
            "id": pa.Column(number, unique=True),
            "sku": pa.Column(pl.String(), check.str_matches(r"^[A-Z]{3}-[0-9]{4}$", error="pattern")),
            "origin": pa.Column(pl.String(), check.str_matches(r"^[A-Z]{3}$", error="pattern")),
            "status": pa.Column(pl.String(), check.isin(STATUSES, error="enum")),
            "quantity": pa.Column(pl.Int64(), [check.ge(1, error="minimum"), check.le(1000, error="maximum")]),
            "weight_kg": pa.Column(
                pl.Float64(),
                [check.gt(0, error="exclusive_minimum"), check.le(30000, error="maximum")],
                nullable=True,
            ),
            "price": pa.Column(pl.Decimal(12, 2), [check.ge(0, error="minimum"), check.le(100000, error="maximum")]),
            "ordered_on": pa.Column(pl.Date()),
            "shipped_at": pa.Column(pl.Datetime("us"), nullable=True),
            "express": pa.Column(pl.Boolean()),
            "customer": pa.Column(
                pl.String(),
                [check.str_length(min_value=8, error="min_length"), check.str_length(max_value=8, error="max_length")],
            ),
            "note": pa.Column(
                pl.String(),
                [check.str_length(min_value=1, error="min_length"), check.str_length(max_value=80, error="max_length")],
                nullable=True,
            ),
        },
        checks=[
            check(
                lambda data: data.lazyframe.select(pl.col("shipped_at") >= pl.col("ordered_on")),
                error="shipped_after_order",
            ),
            check(
                lambda data: data.lazyframe.select(
                    (pl.col("status") != "delivered") | pl.col("shipped_at").is_not_null()
                ),
                error="delivered_was_shipped",
            ),
        ],
        strict=True,
    )


def judge(task: Task) -> list[Finding]:
    """Failing rows of each rule, counted in the failure cases."""
    import polars as pl
    from pandera.errors import SchemaErrors

    try:
        schema(task.key).validate(pl.read_parquet(task.rows), lazy=True)
    except SchemaErrors as errors:
        counted = errors.failure_cases.group_by("column", "check", "schema_context").len().rows()
        return each({rule_of(column, check, context): rows for column, check, context, rows in counted})
    return each({})


def rule_of(column: str, check: str, context: str) -> str:
    """The rule that a failure case speaks of."""
    name = NAMES.get(check, check)
    return f"{column}:{name}" if context == "Column" and name != "primary_key" else name


if __name__ == "__main__":
    answer(["polars", "pandera.polars"], judge)
