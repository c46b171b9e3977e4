"""Great Expectations on pandas, the fastest of its own engines that reads Parquet.

DuckDB is not among the dialects of 1.24.1: through duckdb-engine those tried fail ("list index out of range").
Prices are read as doubles and days as timestamps, which pandas compares as columns and not value by value.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from benchmarks.contracts.findings import Finding, each
from benchmarks.contracts.side import Task, answer

STATUSES = ["new", "packed", "shipped", "delivered", "returned"]
REQUIRED = ("id", "sku", "origin", "status", "quantity", "price", "ordered_on", "express", "customer")


def expectations() -> dict[str, Any]:
    """The 25 rules, by name."""
    import great_expectations.expectations as gxe

    between, lengths = gxe.ExpectColumnValuesToBeBetween, gxe.ExpectColumnValueLengthsToBeBetween
    return {
        **{f"{column}:required": gxe.ExpectColumnValuesToNotBeNull(column=column) for column in REQUIRED},
        "primary_key": gxe.ExpectColumnValuesToBeUnique(column="id"),
        "sku:pattern": gxe.ExpectColumnValuesToMatchRegex(column="sku", regex=r"^[A-Z]{3}-[0-9]{4}$"),
        "origin:pattern": gxe.ExpectColumnValuesToMatchRegex(column="origin", regex=r"^[A-Z]{3}$"),
        "status:enum": gxe.ExpectColumnValuesToBeInSet(column="status", value_set=STATUSES),
        "quantity:minimum": between(column="quantity", min_value=1),
        "quantity:maximum": between(column="quantity", max_value=1000),
        "weight_kg:exclusive_minimum": between(column="weight_kg", min_value=0, strict_min=True),
        "weight_kg:maximum": between(column="weight_kg", max_value=30000),
        "price:minimum": between(column="price", min_value=0),
        "price:maximum": between(column="price", max_value=100000),
        "customer:min_length": lengths(column="customer", min_value=8),
        "customer:max_length": lengths(column="customer", max_value=8),
        "note:min_length": lengths(column="note", min_value=1),
        "note:max_length": lengths(column="note", max_value=80),
        "shipped_after_order": gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="shipped_at", column_B="ordered_on", or_equal=True, ignore_row_if="either_value_is_missing"
        ),
        "delivered_was_shipped": gxe.ExpectColumnValuesToNotBeNull(
            column="shipped_at", row_condition='status == "delivered"', condition_parser="pandas"
        ),
    }


def judge(task: Task) -> list[Finding]:
    """Unexpected rows of each expectation; one that fails without a number is shown, as it judged nothing."""
    import great_expectations as gx

    logging.disable(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("files").add_dataframe_asset("shipments")
    suite = gx.ExpectationSuite(
        name="shipments", expectations=[_named(rule, found) for rule, found in expectations().items()]
    )
    definition = gx.ValidationDefinition(
        name="all", data=asset.add_batch_definition_whole_dataframe("all"), suite=context.suites.add(suite)
    )
    result = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": _read(task.rows)},
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
    )
    return each({one.expectation_config.meta["rule"]: _rows(one) for one in result.results})


def _named(rule: str, expectation: Any) -> Any:
    expectation.meta = {"rule": rule}
    return expectation


def _rows(result: Any) -> int:
    if "unexpected_count" not in result.result:
        raise RuntimeError(f"{result.expectation_config.meta['rule']} was not judged: {result.exception_info}"[:2000])
    return int(result.result["unexpected_count"])


def _read(path: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    for name, kind in {"price": pa.float64(), "ordered_on": pa.timestamp("us")}.items():
        index = table.schema.get_field_index(name)
        table = table.set_column(index, name, table.column(index).cast(kind))
    return table.to_pandas(self_destruct=True, split_blocks=True)


if __name__ == "__main__":
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    answer(["pandas", "pyarrow.parquet", "great_expectations"], judge)
