"""patito: `Model.validate` of a polars frame.

It counts the rows of all bounds, lengths and patterns of a column together, and names wrong values of an enum without
counting rows.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Literal

from benchmarks.contracts.findings import Finding
from benchmarks.contracts.side import Task, answer

TOGETHER = {
    ("id", "missing"): ("id:required",),
    ("id", "duplicated"): ("primary_key",),
    ("sku", "missing"): ("sku:required",),
    ("sku", "out of bound"): ("sku:pattern",),
    ("origin", "missing"): ("origin:required",),
    ("origin", "out of bound"): ("origin:pattern",),
    ("status", "missing"): ("status:required",),
    ("status", "invalid values"): ("status:enum",),
    ("status", "custom constraints"): ("delivered_was_shipped",),
    ("quantity", "missing"): ("quantity:required",),
    ("quantity", "out of bound"): ("quantity:minimum", "quantity:maximum"),
    ("weight_kg", "out of bound"): ("weight_kg:exclusive_minimum", "weight_kg:maximum"),
    ("price", "missing"): ("price:required",),
    ("price", "out of bound"): ("price:minimum", "price:maximum"),
    ("ordered_on", "missing"): ("ordered_on:required",),
    ("shipped_at", "custom constraints"): ("shipped_after_order",),
    ("express", "missing"): ("express:required",),
    ("customer", "missing"): ("customer:required",),
    ("customer", "out of bound"): ("customer:min_length", "customer:max_length"),
    ("note", "out of bound"): ("note:min_length", "note:max_length"),
}
"""Which rules each kind of error of a column speaks of."""


def model(key: str) -> Any:
    """The 25 rules."""
    import patito as pt
    import polars as pl

    number: Any = int if key == "integer" else str
    shipped = pl.col("shipped_at")

    class Shipment(pt.Model):
        id: number = pt.Field(unique=True)
        sku: str = pt.Field(pattern=r"^[A-Z]{3}-[0-9]{4}$")
        origin: str = pt.Field(pattern=r"^[A-Z]{3}$")
        status: Literal["new", "packed", "shipped", "delivered", "returned"] = pt.Field(
            constraints=(pl.col("status") != "delivered") | shipped.is_not_null(), dtype=pl.String
        )
        quantity: int = pt.Field(ge=1, le=1000)
        weight_kg: float | None = pt.Field(gt=0, le=30000)
        price: Decimal = pt.Field(ge=0, le=100000, dtype=pl.Decimal(12, 2))
        ordered_on: dt.date
        shipped_at: dt.datetime | None = pt.Field(constraints=shipped >= pl.col("ordered_on"), dtype=pl.Datetime("us"))
        express: bool
        customer: str = pt.Field(min_length=8, max_length=8)
        note: str | None = pt.Field(min_length=1, max_length=80)

    return Shipment


def judge(task: Task) -> list[Finding]:
    """What the words of each error say."""
    import patito as pt
    import polars as pl

    found = dict[tuple[str, str], int | None]()
    try:
        model(task.key).validate(pl.read_parquet(task.rows))
    except pt.exceptions.DataFrameValidationError as errors:
        for error in errors.errors():
            kind = next((k for c, k in TOGETHER if c == error["loc"][0] and k in error["msg"]), error["msg"])
            number = re.match(r"\d+", error["msg"])
            found[error["loc"][0], kind] = int(number[0]) if number else None
    known = [Finding(rules, found.pop(place, 0)) for place, rules in TOGETHER.items()]
    return [*known, *(Finding((f"{column}: {message}",), rows) for (column, message), rows in found.items())]


if __name__ == "__main__":
    answer(["polars", "patito"], judge)
