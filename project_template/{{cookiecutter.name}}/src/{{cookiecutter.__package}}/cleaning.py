"""Renames raw columns as in the contracts, which then decide whether a value is valid."""

from __future__ import annotations

import polars as pl


def orders(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row for each order."""
    return raw.rename({"order": "order_id", "customer": "customer_id"}).with_columns(
        pl.col("returned").replace({"yes": "true", "no": "false"})
    )


def customers(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row for each customer."""
    return raw.rename({"customer": "customer_id"})
