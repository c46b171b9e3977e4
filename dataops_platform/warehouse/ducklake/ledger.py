"""The ledger: one append-only hash chain per environment, and a head view that makes every append a compare-and-set.

Each event carries the hash of the one before it. Appending also replaces the environment's head view: of two
processes that replace it at once, the lake lets one commit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.digests import canonical_json, digest_of
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.cut import Cut
from dataops_platform.warehouse.protocol import State

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LEDGER = "lake._dataops.ledger"


def create(connection: DuckDBPyConnection) -> None:
    """Makes the table of events."""
    connection.execute(f"create table {_LEDGER} (environment varchar, sequence bigint, hash varchar, body varchar)")


def read_state(connection: DuckDBPyConnection, environment: str) -> State:
    """What the head view of an environment says; an empty state when there is none."""
    view = f"head__{environment}"
    exists = connection.execute(
        "select 1 from duckdb_views() where database_name = 'lake' and schema_name = '_dataops' "
        f"and view_name = {literal(view)}"
    ).fetchone()
    row = exists and connection.execute(f"select body, hash from lake._dataops.{identifier(view)}").fetchone()
    if not row:
        return State(environment, 0, "", "", Cut(()), {})
    event = json.loads(row[0])
    return State(environment, event["sequence"], row[1], event["publication"], Cut.from_plain(event["cut"]), event)


def read_events(connection: DuckDBPyConnection, environment: str) -> list[Mapping[str, Any]]:
    """All events of an environment, oldest first, as they were written."""
    rows = connection.execute(
        f"select body from {_LEDGER} where environment = {literal(environment)} order by sequence"
    ).fetchall()
    return [json.loads(body) for (body,) in rows]


def append(
    connection: DuckDBPyConnection,
    environment: str,
    before: State,
    cut: Cut,
    event: Mapping[str, Any],
    now: datetime,
) -> State:
    """Writes an event after `before` and points the head view at it, inside the caller's transaction."""
    full = {
        **event,
        "environment": environment,
        "sequence": before.sequence + 1,
        "previous": before.hash,
        "at": now.isoformat(),
        "publication": cut.id,
        "cut": cut.to_plain(),
    }
    body, event_hash = canonical_json(full), digest_of(full)
    connection.execute(
        f"insert into {_LEDGER} values ($environment, $sequence, $hash, $body)",
        {"environment": environment, "sequence": before.sequence + 1, "hash": event_hash, "body": body},
    )
    view = f"lake._dataops.{identifier('head__' + environment)}"
    connection.execute(
        f"create or replace view {view} as select {literal(event_hash)} as hash, {literal(body)} as body"
    )
    return State(environment, before.sequence + 1, event_hash, cut.id, cut, full)
