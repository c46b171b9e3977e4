"""Texts, stored under the digest of their bytes: cuts, and the nodes of their trees of windows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from dataops_platform.kit.digests import digest_of_bytes
from dataops_platform.kit.errors import SystemFailed, preview
from dataops_platform.kit.sql import literal
from dataops_platform.manifests.windows import nodes_below

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NODES = "lake._dataops.nodes"


def create(connection: DuckDBPyConnection) -> None:
    """Create the table of texts."""
    connection.execute(f"create table {NODES} (id varchar, body varchar)")


def put(connection: DuckDBPyConnection, texts: Iterable[str]) -> None:
    """Store texts, inside the caller's transaction.

    A text that is stored already is stored again: a garbage collection at the same time may delete the earlier row.
    """
    wanted = {digest_of_bytes(text.encode()): text for text in texts}
    if wanted:
        rows = ", ".join(f"({literal(name)}, {literal(text)})" for name, text in wanted.items())
        connection.execute(f"insert into {NODES} values {rows}")


def read(connection: DuckDBPyConnection, names: Collection[str]) -> dict[str, str]:
    """Return texts by digest. Raises: SystemFailed DP-W014 when one is missing, or does not have its digest."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    # a constant lets files be skipped, which takes a fifth of the time
    these = literal(wanted[0]) if len(wanted) == 1 else "select unnest($wanted)"
    bound = {"wanted": wanted} if len(wanted) > 1 else {}
    rows = connection.execute(f"select distinct id, body from {NODES} where id in ({these})", bound).fetchall()
    found = {name: text for name, text in rows if digest_of_bytes(text.encode()) == name}
    lost = [name for name in wanted if name not in found]
    if lost:
        raise SystemFailed("DP-W014", texts=preview(lost))
    return found


def unneeded(connection: DuckDBPyConnection, trees: Collection[str], texts: Collection[str]) -> frozenset[str]:
    """Return the digests of all stored texts but `texts` and the nodes of the trees whose roots are in `trees`."""
    known = {name for (name,) in connection.execute(f"select distinct id from {NODES}").fetchall()}
    return frozenset(known - set(texts) - nodes_below(known & set(trees), partial(read, connection)))


def delete(connection: DuckDBPyConnection, names: Collection[str], before: datetime) -> None:
    """Delete texts, inside the caller's transaction, except rows of snapshots at or after the moment `before`."""
    if names:
        connection.execute(
            f"delete from {NODES} where id in (select unnest($names)) and snapshot_id not in (select snapshot_id "
            "from ducklake_snapshots('lake') where snapshot_time >= $before)",
            {"names": sorted(names), "before": before},
        )
