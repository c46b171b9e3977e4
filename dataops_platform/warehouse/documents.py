"""Documents, stored permanently under a kind and a name: releases and plans. The first one under a name stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.digests import canonical_json, digest_of_bytes
from dataops_platform.kit.sql import literal
from dataops_platform.manifests.events import Event
from dataops_platform.warehouse.lake import Lake

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_DOCUMENTS = "lake._dataops.documents"


def create(connection: DuckDBPyConnection) -> None:
    """Create the table of documents."""
    connection.execute(f"create table {_DOCUMENTS} (kind varchar, name varchar, body varchar)")


def keep(lake: Lake, kind: str, name: str, body: Mapping[str, Any], event: tuple[str, Event] | None = None) -> None:
    """Store a document permanently under its name; a document that exists already stays.

    `event` is an environment and the event that records the new document in its ledger. Document and event are written
    together; neither is written when the document exists.
    """
    if event is None:
        with lake.transaction("keep"):
            _insert(lake.connection, kind, name, body)
        return
    environment, record = event
    lake.note(environment, lambda _: record if _insert(lake.connection, kind, name, body) else None)


def _insert(connection: DuckDBPyConnection, kind: str, name: str, body: Mapping[str, Any]) -> bool:
    """Store a document unless one of that name exists. Return whether it was stored."""
    known = f"select 1 from {_DOCUMENTS} where kind = {literal(kind)} and name = {literal(name)} limit 1"
    if connection.execute(known).fetchone() is not None:
        return False
    text = canonical_json(body)
    connection.execute(f"insert into {_DOCUMENTS} values ({literal(kind)}, {literal(name)}, {literal(text)})")
    return True


def read_digest(connection: DuckDBPyConnection, kind: str, name: str) -> str:
    """Return the digest of a document's stored text; empty when there is no document of that name."""
    row = connection.execute(
        f"select body from {_DOCUMENTS} where kind = {literal(kind)} and name = {literal(name)} "
        "order by snapshot_id, rowid limit 1"
    ).fetchone()
    return digest_of_bytes(row[0].encode()) if row else ""


def read_rows(connection: DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Return kind, name and stored text of all documents, oldest first."""
    return connection.execute(f"select kind, name, body from {_DOCUMENTS} order by snapshot_id, rowid").fetchall()


def read(connection: DuckDBPyConnection, kind: str) -> dict[str, Mapping[str, Any]]:
    """Return the documents of a kind by name, oldest first.

    Two rivals may have stored a document under one name; the first one counts.
    """
    rows = connection.execute(
        f"select name, body from {_DOCUMENTS} where kind = {literal(kind)} order by snapshot_id desc, rowid desc"
    ).fetchall()
    found = {name: json.loads(body) for name, body in rows}
    return dict(reversed(found.items()))
