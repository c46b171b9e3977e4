"""The ledger: one append-only hash chain per environment, and a head view that makes every append a compare-and-set.

Each event carries the hash of the one before it. Appending also replaces the environment's head view: of two
processes that replace it at once, the lake lets one commit. An event that moves the environment carries the cut that
is shown from then on; any other carries none, and the view says which event was the last that moved it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.digests import canonical_json, digest_of
from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.history import POINTERS
from dataops_platform.warehouse.state import State

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LEDGER = "lake._dataops.ledger"


@dataclass(frozen=True)
class Row:
    """An event as it lies in the lake: `body` is its canonical JSON, `snapshot` the one that committed it."""

    environment: str
    sequence: int | None
    hash: str
    body: str
    signature: str | None
    snapshot: int


@dataclass(frozen=True)
class HeadRow:
    """What a head view gives: hash and body of the last event, and the body of the last that moved something."""

    hash: str
    body: str
    moved: str


@dataclass(frozen=True)
class Pointer:
    """The cut that an environment was last pointed at, and the number of the event that did it; 0 for none ever.

    An environment made from another was also given what that cut was made from (`under`), and does not show it.
    """

    cut: Cut = Cut(())
    sequence: int = 0


def create(connection: DuckDBPyConnection) -> None:
    """Makes the table of events."""
    connection.execute(
        f"create table {LEDGER} (environment varchar, sequence bigint, hash varchar, body varchar, signature varchar)"
    )


def read_state(connection: DuckDBPyConnection, environment: str) -> State:
    """What the head view of an environment says; an empty state when there is none."""
    import duckdb

    view = identifier(head_view(environment))
    try:
        row = connection.execute(f"select body, hash, moved from lake._dataops.{view}").fetchone()
    except duckdb.CatalogException:  # there is none; to ask that first would take longer than to read it
        row = None
    return _state(json.loads(row[0]), row[1], json.loads(row[2])) if row else State(environment)


def read_pointer(connection: DuckDBPyConnection, environment: str) -> Pointer:
    """What an environment was last pointed at by a promotion, a rollback or its making."""
    sequence = read_state(connection, environment).pointer
    if not sequence:
        return Pointer()
    row = connection.execute(
        f"select body from {LEDGER} where environment = {literal(environment)} and sequence = {sequence} limit 1"
    ).fetchone()
    if row is None:
        raise SystemFailed(
            "DP-L001",
            f"the ledger of {environment} lacks event {sequence}, which its head names",
            fix=f"dataops ledger verify --env {environment}",
        )
    event = json.loads(row[0])
    return Pointer(Cut.from_plain([*event["cut"], *event.get("under", ())]), sequence)


def read_events(connection: DuckDBPyConnection, environment: str) -> list[Mapping[str, Any]]:
    """All events of an environment, oldest first, as they were written."""
    rows = connection.execute(
        f"select body from {LEDGER} where environment = {literal(environment)} order by sequence"
    ).fetchall()
    return [json.loads(body) for (body,) in rows]


def read_rows(connection: DuckDBPyConnection, environment: str, newest: int | None = None) -> list[Row]:
    """The events of an environment as they lie in the lake, by number; only the `newest` so many, if that is given."""
    order = f"order by sequence desc, snapshot_id desc limit {newest}" if newest is not None else ""
    rows = connection.execute(
        f"select environment, sequence, hash, body, signature, snapshot_id from {LEDGER} "
        f"where environment = {literal(environment)} {order}"
    ).fetchall()
    return sorted((Row(*row) for row in rows), key=lambda r: (r.sequence is None, r.sequence or 0, r.snapshot))


def read_head(connection: DuckDBPyConnection, environment: str) -> HeadRow | None:
    """What the head view of an environment gives; None when there is none. Raises: duckdb.Error for another view."""
    if head_view(environment) not in _head_views(connection):
        return None
    view = identifier(head_view(environment))
    rows = connection.execute(f"select hash, body, moved from lake._dataops.{view}").fetchall()
    return HeadRow(*rows[0]) if rows else None


def read_environments(connection: DuckDBPyConnection) -> list[str]:
    """The environments that have a ledger, or a head view without one."""
    rows = connection.execute(f"select distinct environment from {LEDGER}").fetchall()
    heads = [view.removeprefix(head_view("")) for view in _head_views(connection)]
    return sorted({*(name for (name,) in rows), *heads})


def _head_views(connection: DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select view_name from duckdb_views() where database_name = 'lake' and schema_name = '_dataops' "
        f"and starts_with(view_name, {literal(head_view(''))})"
    ).fetchall()
    return [name for (name,) in rows]


def append(
    connection: DuckDBPyConnection,
    before: State,
    event: Mapping[str, Any],
    cut: Cut | None,
    now: datetime,
    sign: Callable[[str], str] | None = None,
) -> State:
    """Writes an event after `before` and points the head view at it, inside the caller's transaction.

    `sign` gives the signature of its hash; without it the event is unsigned.

    With a cut it moves the environment; `event` may then say under which `release` and `code`, and whether it is
    `held`. What an event does not say stays as it was.
    """
    sequence = before.sequence + 1
    full = {
        "release": before.release,
        "code": before.code,
        "held": before.held,
        **event,
        "environment": before.environment,
        "sequence": sequence,
        "previous": before.hash,
        "at": now.isoformat(),
        "publication": cut.id if cut else before.publication,
        "pointer": sequence if event.get("kind") in POINTERS else before.pointer,
    }
    if cut:
        full["cut"] = cut.to_plain()
    event_hash, body = digest_of(full), canonical_json(full)
    connection.execute(
        f"insert into {LEDGER} values ($environment, $sequence, $hash, $body, $signature)",
        {
            "environment": before.environment,
            "sequence": sequence,
            "hash": event_hash,
            "body": body,
            "signature": sign(event_hash) if sign else None,
        },
    )
    moved = full if cut else before.moved
    view = f"lake._dataops.{identifier(head_view(before.environment))}"
    connection.execute(_view(view, event_hash, body, canonical_json(moved)))
    return _state(full, event_hash, moved)


def touch(connection: DuckDBPyConnection, state: State) -> None:
    """Replaces the head view of an environment by the same: whoever else moves it at the same time does not commit."""
    view = f"lake._dataops.{identifier(head_view(state.environment))}"
    connection.execute(_view(view, state.hash, canonical_json(state.event), canonical_json(state.moved)))


def head_view(environment: str) -> str:
    """The name of the view that says which event is the last of an environment."""
    return f"head__{environment}"


def _view(name: str, event_hash: str, body: str, moved: str) -> str:
    return (
        f"create or replace view {name} as select {literal(event_hash)} as hash, {literal(body)} as body, "
        f"{literal(moved)} as moved"
    )


def _state(event: Mapping[str, Any], event_hash: str, moved: Mapping[str, Any]) -> State:
    return State(
        environment=event["environment"],
        sequence=event["sequence"],
        hash=event_hash,
        publication=event["publication"],
        cut=Cut.from_plain(moved.get("cut", ())),
        event=event,
        moved=moved,
        release=event["release"],
        code=event["code"],
        held=event["held"],
        pointer=event["pointer"],
    )
