"""Compares the rows in the lake with what their manifests record."""

from __future__ import annotations

from dataops_platform.manifests.manifest import Head
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake


def is_as_recorded(lake: Lake, head: Head) -> bool:
    """Return whether each partition of a table's version has the digest in its manifest. Reads all rows.

    False when a file is missing or damaged.
    """
    import duckdb

    try:
        found = digests(lake.connection, f"(from {lake.relation(head.area, head)})", list(head.partitions))
    except duckdb.Error:
        return False
    return all(str(found[m.partition]) == m.digest for m in head.manifests)
