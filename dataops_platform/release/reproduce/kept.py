"""Whether the lake still has what was recorded."""

from __future__ import annotations

from dataops_platform.manifests.manifest import Head
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake


def is_as_recorded(lake: Lake, head: Head) -> bool:
    """Whether a version of a table has, in each partition, the rows that its manifests speak of; reads them all."""
    import duckdb

    try:
        found = digests(lake.connection, f"(from {lake.relation(head.area, head)})", list(head.partitions))
    except duckdb.Error:  # a file is missing or damaged
        return False
    return all(str(found[m.partition]) == m.digest for m in head.manifests)
