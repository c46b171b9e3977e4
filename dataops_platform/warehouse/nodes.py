"""Texts that are kept under the digest of their bytes: cuts, and the nodes of their trees of windows."""

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
    """Makes the table of texts."""
    connection.execute(f"create table {NODES} (id varchar, body varchar)")


def put(connection: DuckDBPyConnection, texts: Iterable[str]) -> None:
    """Keeps texts, inside the caller's transaction.

    Also those that are there already: whoever collects what nobody named may be about to delete the earlier rows.
    """
    wanted = {digest_of_bytes(text.encode()): text for text in texts}
    if wanted:
        rows = ", ".join(f"({literal(name)}, {literal(text)})" for name, text in wanted.items())
        connection.execute(f"insert into {NODES} values {rows}")


def read(connection: DuckDBPyConnection, names: Collection[str]) -> dict[str, str]:
    """Texts by their digests. Raises: SystemFailed DP-W014 when one is missing, or is another text than it was."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    rows = connection.execute(
        f"select distinct id, body from {NODES} where id in (select unnest($wanted))", {"wanted": wanted}
    ).fetchall()
    found = {name: text for name, text in rows if digest_of_bytes(text.encode()) == name}
    lost = [name for name in wanted if name not in found]
    if lost:
        raise SystemFailed("DP-W014", texts=preview(lost))
    return found


def unneeded(connection: DuckDBPyConnection, trees: Collection[str], texts: Collection[str]) -> frozenset[str]:
    """The digests of all texts but these and the nodes of the trees whose roots are given."""
    known = {name for (name,) in connection.execute(f"select distinct id from {NODES}").fetchall()}
    return frozenset(known - set(texts) - nodes_below(known & set(trees), partial(read, connection)))


def delete(connection: DuckDBPyConnection, names: Collection[str], before: datetime) -> None:
    """Deletes texts, inside the caller's transaction, but not rows of snapshots at or after a moment."""
    if names:
        connection.execute(
            f"delete from {NODES} where id in (select unnest($names)) and snapshot_id not in (select snapshot_id "
            "from ducklake_snapshots('lake') where snapshot_time >= $before)",
            {"names": sorted(names), "before": before},
        )
