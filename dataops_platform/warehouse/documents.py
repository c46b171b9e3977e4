"""Documents that are kept for good under a name: releases and plans. The first that is kept under a name stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.digests import canonical_json, digest_of_bytes
from dataops_platform.kit.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_DOCUMENTS = "lake._dataops.documents"


def create(connection: DuckDBPyConnection) -> None:
    """Makes the table of documents."""
    connection.execute(f"create table {_DOCUMENTS} (kind varchar, name varchar, body varchar)")


def insert(connection: DuckDBPyConnection, kind: str, name: str, body: Mapping[str, Any]) -> bool:
    """Keeps a document, unless one of that name is there; says whether it is new."""
    known = f"select 1 from {_DOCUMENTS} where kind = {literal(kind)} and name = {literal(name)} limit 1"
    if connection.execute(known).fetchone() is not None:
        return False
    text = canonical_json(body)
    connection.execute(f"insert into {_DOCUMENTS} values ({literal(kind)}, {literal(name)}, {literal(text)})")
    return True


def read_digest(connection: DuckDBPyConnection, kind: str, name: str) -> str:
    """The digest of the stored text of a document; empty when there is none of that name."""
    row = connection.execute(
        f"select body from {_DOCUMENTS} where kind = {literal(kind)} and name = {literal(name)} "
        "order by snapshot_id, rowid limit 1"
    ).fetchone()
    return digest_of_bytes(row[0].encode()) if row else ""


def read_rows(connection: DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Kind, name and text of all documents as they lie in the lake, oldest first."""
    return connection.execute(f"select kind, name, body from {_DOCUMENTS} order by snapshot_id, rowid").fetchall()


def read(connection: DuckDBPyConnection, kind: str, name: str = "") -> dict[str, Mapping[str, Any]]:
    """The documents of a kind (or the one called so) by name, oldest first; of two that rivals kept, the first."""
    one = f"and name = {literal(name)} " if name else ""
    rows = connection.execute(
        f"select name, body from {_DOCUMENTS} where kind = {literal(kind)} {one}order by snapshot_id desc, rowid desc"
    ).fetchall()
    found = {name: json.loads(body) for name, body in rows}
    return dict(reversed(found.items()))
