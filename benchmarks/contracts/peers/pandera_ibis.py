"""pandera on an ibis table over DuckDB: each check is a query of the Parquet file, failure cases become pandas."""

from __future__ import annotations

from typing import Any

from benchmarks.contracts.findings import Finding, each
from benchmarks.contracts.peers.pandera_polars import STATUSES, rule_of
from benchmarks.contracts.side import Task, answer


def schema(key: str) -> Any:
    """The 25 rules; each check has the name of its rule. A column of an ibis table cannot be unique, a table can."""
    import ibis.expr.datatypes as dt
    import pandera.ibis as pa

    check = pa.Check
    number = dt.int64 if key == "integer" else dt.string
    return pa.DataFrameSchema(
        {
            "id": pa.Column(number),
            "sku": pa.Column(dt.string, check.str_matches(r"^[A-Z]{3}-[0-9]{4}$", error="pattern")),
            "origin": pa.Column(dt.string, check.str_matches(r"^[A-Z]{3}$", error="pattern")),
            "status": pa.Column(dt.string, check.isin(STATUSES, error="enum")),
            "quantity": pa.Column(dt.int64, [check.ge(1, error="minimum"), check.le(1000, error="maximum")]),
            "weight_kg": pa.Column(
                dt.float64,
                [check.gt(0, error="exclusive_minimum"), check.le(30000, error="maximum")],
                nullable=True,
            ),
            "price": pa.Column(dt.Decimal(12, 2), [check.ge(0, error="minimum"), check.le(100000, error="maximum")]),
            "ordered_on": pa.Column(dt.date),
            "shipped_at": pa.Column(dt.Timestamp(scale=6), nullable=True),
            "express": pa.Column(dt.boolean),
            "customer": pa.Column(
                dt.string,
                [check.str_length(min_value=8, error="min_length"), check.str_length(max_value=8, error="max_length")],
            ),
            "note": pa.Column(
                dt.string,
                [check.str_length(min_value=1, error="min_length"), check.str_length(max_value=80, error="max_length")],
                nullable=True,
            ),
        },
        checks=[
            check(
                lambda data: (data.table.shipped_at >= data.table.ordered_on) | data.table.shipped_at.isnull(),
                error="shipped_after_order",
            ),
            check(
                lambda data: (data.table.status != "delivered") | data.table.shipped_at.notnull(),
                error="delivered_was_shipped",
            ),
        ],
        unique=["id"],
        strict=True,
    )


def judge(task: Task) -> list[Finding]:
    """Failing rows of each rule: a frame for checks, a query still to be asked for nulls and for the key."""
    import ibis
    from pandera.errors import SchemaErrors

    try:
        schema(task.key).validate(ibis.duckdb.connect().read_parquet(task.rows), lazy=True)
    except SchemaErrors as errors:
        return each({_rule_of(error): _rows(error.failure_cases) for error in errors.schema_errors})
    return each({})


def _rule_of(error: Any) -> str:
    return rule_of(error.schema.name, getattr(error.check, "error", error.check), type(error.schema).__name__)


def _rows(cases: Any) -> int:
    return int(cases.count().execute()) if hasattr(cases, "execute") else len(cases)


if __name__ == "__main__":
    answer(["ibis", "pandera.ibis"], judge)
