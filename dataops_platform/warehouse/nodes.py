"""Texts that are kept once, under the digest of their bytes: cuts. What has the same digest is the same text."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from dataops_platform.kit.digests import digest_of_bytes
from dataops_platform.kit.errors import SystemFailed, some
from dataops_platform.kit.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NODES = "lake._dataops.nodes"


def create(connection: DuckDBPyConnection) -> None:
    """Makes the table of texts."""
    connection.execute(f"create table {NODES} (id varchar, body varchar)")


def put(connection: DuckDBPyConnection, texts: Iterable[str]) -> None:
    """Keeps texts, inside the caller's transaction; those that are there already stay."""
    wanted = {digest_of_bytes(text.encode()): text for text in texts}
    new = wanted.keys() - _known(connection, wanted) if wanted else set()
    if new:
        rows = ", ".join(f"({literal(name)}, {literal(wanted[name])})" for name in sorted(new))
        connection.execute(f"insert into {NODES} values {rows}")


def read(connection: DuckDBPyConnection, names: Collection[str]) -> dict[str, str]:
    """Texts by their digests. Raises: SystemFailed DP-W014 when one is missing, or is another text than it was."""
    if not names:
        return {}
    wanted = ", ".join(map(literal, sorted(set(names))))
    rows = connection.execute(f"select distinct id, body from {NODES} where id in ({wanted})").fetchall()
    found = {name: text for name, text in rows if digest_of_bytes(text.encode()) == name}
    lost = sorted(set(names) - found.keys())
    if lost:
        raise SystemFailed("DP-W014", texts=some(lost))
    return found


def _known(connection: DuckDBPyConnection, names: Collection[str]) -> set[str]:
    wanted = ", ".join(map(literal, sorted(names)))
    return {name for (name,) in connection.execute(f"select id from {NODES} where id in ({wanted})").fetchall()}
