"""Puts raw columns into the names and shapes of the contracts; whether a value is right, the contracts say."""

from __future__ import annotations

import polars as pl

PLATFORM = r"^_dp_.*$"
"""The platform's own columns (file, line, partition), which every function passes on."""


def flights(raw: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each scheduled flight. Local times stay as the airline writes them: 517 is 5:17."""
    return raw.select(
        pl.format("{}-{}-{}", pl.col("year"), pl.col("month").str.zfill(2), pl.col("day").str.zfill(2)).alias(
            "flight_date"
        ),
        pl.col("time_hour").alias("scheduled_hour_utc"),
        "carrier",
        "flight",
        "origin",
        "dest",
        pl.col("tailnum").alias("tail_number"),
        pl.col("sched_dep_time").alias("scheduled_departure"),
        pl.col("dep_time").alias("departure"),
        pl.col("dep_delay").alias("departure_delay"),
        pl.col("sched_arr_time").alias("scheduled_arrival"),
        pl.col("arr_time").alias("arrival"),
        pl.col("arr_delay").alias("arrival_delay"),
        "air_time",
        "distance",
        pl.col(PLATFORM),
    )


def weather(raw: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each airport and hour, by the hour in UTC: the local hour repeats when summer time ends."""
    return raw.select(
        "origin",
        pl.col("time_hour").alias("hour_utc"),
        pl.col("temp").alias("temperature"),
        pl.col("dewp").alias("dew_point"),
        pl.col("humid").alias("humidity"),
        pl.col("wind_dir").alias("wind_direction"),
        "wind_speed",
        "wind_gust",
        pl.col("precip").alias("precipitation"),
        "pressure",
        pl.col("visib").alias("visibility"),
        pl.col(PLATFORM),
    )


def planes(raw: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each aircraft."""
    return raw.rename({"tailnum": "tail_number", "year": "built"})
