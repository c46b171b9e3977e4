"""The bare side: DuckDB reads every value of every column once and keeps a number of it.

`python -m benchmarks.contracts.scan` scans; `… scan TASK REPORT copy` also writes all rows to a Parquet file.
"""

from __future__ import annotations

import sys

from benchmarks.contracts.findings import Finding
from benchmarks.contracts.side import Task, answer

NUMBERS = {
    "id": {"integer": "sum(id)", "string": "sum(strlen(id))"},
    "sku": "sum(strlen(sku))",
    "origin": "sum(strlen(origin))",
    "status": "sum(strlen(status))",
    "quantity": "sum(quantity)",
    "weight_kg": "sum(weight_kg)",
    "price": "sum(price)",
    "ordered_on": "sum(ordered_on - date '2023-01-01')",
    "shipped_at": "sum(epoch_us(shipped_at))",
    "express": "sum(express::tinyint)",
    "customer": "sum(strlen(customer))",
    "note": "sum(strlen(note))",
}
"""A cheap sum for each column; counts, least and greatest values DuckDB takes from the file's statistics unread."""


def scan_sql(task: Task) -> str:
    """One row, a number for each column."""
    numbers = [found if isinstance(found, str) else found[task.key] for found in NUMBERS.values()]
    return f"select {', '.join(numbers)} from read_parquet('{task.rows}')"


def scan(task: Task) -> list[Finding]:
    """Reads all; finds nothing, as it judges nothing."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(scan_sql(task)).fetchall()
    return []


def copy(task: Task) -> list[Finding]:
    """Writes all rows to a Parquet file: what writing costs, and reading with it."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"copy (from read_parquet('{task.rows}')) to '{task.folder}/copy.parquet' (format parquet)")
    return []


if __name__ == "__main__":
    answer(["duckdb"], {"scan": scan, "copy": copy}[sys.argv[3]])
