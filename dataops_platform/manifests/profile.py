"""The profile of a column: counts and extremes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Extreme = int | float | str | None


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a batch: nulls, distinct values (an estimate, a few percent off), smallest and largest value.

    The extremes are numbers or texts of at most 64 characters, and null where they were not asked for.
    """

    name: str
    nulls: int
    distinct: int
    minimum: Extreme = None
    maximum: Extreme = None


def profile_details(profile: Sequence[ColumnProfile]) -> dict[str, Any]:
    """Return a batch's profile as a manifest keeps it among its details."""
    return {"profile": [dataclasses.asdict(column) for column in profile]}


def merged_profile(batches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the profile of several batches (manifests' details) together, column by column.

    Nulls add up. Of `distinct` the largest is kept, because two batches may share values.
    """
    columns: dict[str, list[dict[str, Any]]] = {}
    for column in (column for batch in batches for column in batch.get("profile", ())):
        columns.setdefault(column["name"], []).append(column)
    return [
        {
            "column": name,
            "nulls": sum(part["nulls"] for part in parts),
            "distinct": max(part["distinct"] for part in parts),
            "minimum": min(_known(part["minimum"] for part in parts), default=None),
            "maximum": max(_known(part["maximum"] for part in parts), default=None),
        }
        for name, parts in columns.items()
    ]


def _known(values: Iterable[Extreme]) -> list[Any]:
    return [value for value in values if value is not None]
