"""Puts raw columns into the names and shapes of the contracts; whether a value is right, the contracts say."""

from __future__ import annotations

import polars as pl


def orders(raw: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each order."""
    return raw.rename({"order": "order_id", "customer": "customer_id"}).with_columns(
        pl.col("returned").replace({"yes": "true", "no": "false"})
    )


def customers(raw: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each customer."""
    return raw.rename({"customer": "customer_id"})
