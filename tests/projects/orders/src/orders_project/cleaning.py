"""Cleaning functions."""

import polars as pl


def customers(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Names without blanks around them."""
    return raw.with_columns(pl.col("name").str.strip_chars())
