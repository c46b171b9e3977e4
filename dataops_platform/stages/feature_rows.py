"""The rows for training and scoring a model: the same columns, types and order in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataops_platform.kit.relation import columns_of
from dataops_platform.kit.sql import identifier, identifiers
from dataops_platform.manifests.manifest import Head
from dataops_platform.stages.partitions import PartitionWindow
from dataops_platform.warehouse.lake import Lake

if TYPE_CHECKING:
    import pandas as pd


def feature_rows(
    lake: Lake,
    environment: str,
    table: Head,
    features: Sequence[str],
    others: Sequence[str],
    time_column: str,
    window: PartitionWindow,
    order: Sequence[str],
) -> pd.DataFrame:
    """Return the rows of `window`, in memory: `others` as they are, `features` as a model takes them.

    Whole numbers become float64, because only that can hold a missing value. Rows are sorted by `order`, so that the
    same table always makes the same model.
    """
    relation, time = lake.relation(environment, table), identifier(time_column)
    types = columns_of(lake.connection, relation)
    columns = [identifier(name) for name in others if name not in features]
    for name in features:
        whole = "INT" in types[name]
        columns.append(f"{identifier(name)}::double as {identifier(name)}" if whole else identifier(name))
    return lake.connection.execute(
        f"select {', '.join(columns)} from {relation} where {time} >= $start and {time} < $end "
        f"order by {identifiers(order)}",
        {"start": window.start, "end": window.end},
    ).df()
