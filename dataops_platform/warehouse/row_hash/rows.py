"""Hashes of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dataops_platform.warehouse.row_hash.mix import combined
from dataops_platform.warehouse.row_hash.values import hashes

if TYPE_CHECKING:
    import pyarrow as pa

    from dataops_platform.warehouse.row_hash.mix import Words


LANES = 2


def row_hashes(columns: Mapping[str, pa.Array], rows: int) -> tuple[Words, ...]:
    """Return a word for each of `rows` rows in each lane. Column names count, their order does not."""
    found = {name: hashes(array) for name, array in columns.items()}
    return tuple(combined(found, "row", rows, lane) for lane in range(LANES))
