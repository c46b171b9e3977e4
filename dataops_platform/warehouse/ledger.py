"""The ledger: one append-only hash chain for each environment, and a head view that makes an append a compare-and-set.

Each event carries the hash of the one before it (`manifests/events.py`). Appending also replaces the environment's head
view: of two processes that replace it at once, the lake lets one commit. An event that moves the environment names the
cut that is shown from then on; other events name none. The view holds the last event and the last one that moved the
environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event, Move, Pointing, event_text, hash_of, read_event
from dataops_platform.warehouse import nodes
from dataops_platform.warehouse.state import State

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LEDGER = "lake._dataops.ledger"


@dataclass(frozen=True)
class LedgerRow:
    """An event as the lake stores it: `body` is its text, `snapshot` the snapshot that committed it."""

    environment: str
    sequence: int | None
    hash: str
    body: str
    signature: str | None
    snapshot: int


@dataclass(frozen=True)
class HeadRow:
    """The row of a head view: hash and text of the last event, and the text of the last move (empty: none yet)."""

    hash: str
    body: str
    moved: str


@dataclass(frozen=True)
class Pointer:
    """The cut that an environment was last pointed at, and the sequence of that event; 0 when it never was."""

    cut: Cut = Cut(())
    sequence: int = 0


def create(connection: DuckDBPyConnection) -> None:
    """Create the table of events."""
    connection.execute(
        f"create table {LEDGER} (environment varchar, sequence bigint, hash varchar, body varchar, signature varchar)"
    )


def read_state(connection: DuckDBPyConnection, environment: str, known: Mapping[str, Cut]) -> State:
    """Return the state in the head view of an environment; an empty state when there is no view.

    Cuts in `known` are not read again.
    """
    head = _read_view(connection, environment)
    if head is None:
        return State(environment)
    moved = _read(head.moved, environment) if head.moved else None
    moved = moved if isinstance(moved, Move) else None
    cut = known.get(moved.cut) or read_cut(connection, moved.cut) if moved else Cut(())
    return _state(head.hash, _read(head.body, environment), moved, cut)


def read_pointer(connection: DuckDBPyConnection, environment: str) -> Pointer:
    """Return what an environment was last pointed at by a promotion, a rollback, its creation or its drop.

    Raises: SystemFailed DP-L001 when the ledger lacks that event.
    """
    head = _read_view(connection, environment)
    sequence = _read(head.body, environment).pointer if head else 0
    if not sequence:
        return Pointer()
    row = connection.execute(
        f"select body from {LEDGER} where environment = {literal(environment)} and sequence = {sequence} limit 1"
    ).fetchone()
    event = _read(row[0], environment) if row else None
    if not isinstance(event, Pointing):
        raise SystemFailed(
            "DP-L001",
            environment=environment,
            event=sequence,
        )
    return Pointer(read_cut(connection, event.cut), sequence)


def read_cut(connection: DuckDBPyConnection, name: str) -> Cut:
    """Return the cut called `name`, or the empty cut for an empty name.

    Raises: SystemFailed DP-W014 when it is not stored.
    """
    return _cut_of(nodes.read(connection, [name])[name]) if name else Cut(())


_cut_of = lru_cache(maxsize=16)(Cut.from_text)  # a large cut takes long to parse, and a state is read often


def read_cut_names(connection: DuckDBPyConnection) -> set[str]:
    """Return the names of the cuts in all events of all environments."""
    rows = connection.execute(f"select distinct body ->> '$.cut' from {LEDGER}").fetchall()
    return {name for (name,) in rows if name}


def read_events(connection: DuckDBPyConnection, environment: str) -> list[Event]:
    """Return all events of an environment, oldest first. Raises: SystemFailed DP-L045 for one that cannot be read."""
    rows = connection.execute(
        f"select body from {LEDGER} where environment = {literal(environment)} order by sequence"
    ).fetchall()
    return [_read(body, environment) for (body,) in rows]


def _read(text: str, environment: str) -> Event:
    try:
        return read_event(text)
    except ValueError as error:
        raise SystemFailed(
            "DP-L045",
            environment=environment,
            reason=str(error)[:200],
        ) from error


def read_rows(connection: DuckDBPyConnection, environment: str, newest: int | None = None) -> list[LedgerRow]:
    """Return the stored events of an environment by sequence; only that many of the last ones when `newest` is set."""
    order = f"order by sequence desc, snapshot_id desc limit {newest}" if newest is not None else ""
    rows = connection.execute(
        f"select environment, sequence, hash, coalesce(body, ''), signature, snapshot_id from {LEDGER} "
        f"where environment = {literal(environment)} {order}"
    ).fetchall()
    return sorted((LedgerRow(*row) for row in rows), key=lambda r: (r.sequence is None, r.sequence or 0, r.snapshot))


def read_head(connection: DuckDBPyConnection, environment: str) -> HeadRow | None:
    """Return the row of an environment's head view, or None. Raises: duckdb.Error for a view with other columns."""
    return _read_view(connection, environment) if head_view(environment) in _head_views(connection) else None


def _read_view(connection: DuckDBPyConnection, environment: str) -> HeadRow | None:
    import duckdb

    view = identifier(head_view(environment))
    try:
        row = connection.execute(f"select hash, body, moved from lake._dataops.{view}").fetchone()
    except duckdb.CatalogException:  # no such view; to look it up first would take longer than to read it
        return None
    return HeadRow(*row) if row else None


def read_environments(connection: DuckDBPyConnection) -> list[str]:
    """Return the environments that have a ledger, or a head view without one, sorted by name."""
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
    event: Event,
    cut: Cut | None,
    now: datetime,
    sign: Callable[[str], str] | None = None,
) -> State:
    """Append an event after `before` and replace the head view, inside the caller's transaction. Return the new state.

    A move has a `cut`, which is stored with it; no other event has one. `sign` returns the signature of the event's
    hash; without it the event is unsigned.
    Raises: ValueError for a move without a cut, and for another event with one.
    """
    full = _placed(event, before, cut, now)
    if cut is not None:
        nodes.put(connection, [cut.to_text()])
    text = event_text(full)
    event_hash = hash_of(text)
    connection.execute(
        f"insert into {LEDGER} values ($environment, $sequence, $hash, $body, $signature)",
        {
            "environment": before.environment,
            "sequence": full.sequence,
            "hash": event_hash,
            "body": text,
            "signature": sign(event_hash) if sign else None,
        },
    )
    last = _read_view(connection, before.environment)
    moved = text if isinstance(full, Move) else last.moved if last else ""
    _point(connection, before.environment, HeadRow(event_hash, text, moved))
    if isinstance(full, Move):
        return _state(event_hash, full, full, cut or Cut(()))
    return _state(event_hash, full, before.moved, before.cut)


def _placed(event: Event, before: State, cut: Cut | None, now: datetime) -> Event:
    """Return the event with its place after `before`, and the state that it leaves."""
    if isinstance(event, Move) != (cut is not None):
        raise ValueError(f"a {event.kind} {'without' if cut is None else 'with'} a cut")
    sequence = before.sequence + 1
    points = isinstance(event, Pointing)
    placed = replace(
        event,
        environment=before.environment,
        sequence=sequence,
        previous=before.hash,
        at=now.isoformat(),
        publication=before.publication if cut is None else cut.id,
        release=event.release if points else before.release,
        code=event.code if points else before.code,
        held=before.held if event.holds is None else event.holds,
        pointer=sequence if points else before.pointer,
    )
    if cut is None or not isinstance(placed, Move):
        return placed
    models = sum(member.kind == "model" for member in cut.members)
    return replace(placed, cut=cut.name, tables=len(cut.members) - models, models=models)


def touch(connection: DuckDBPyConnection, environment: str) -> None:
    """Replace the head view of an environment by an equal one, so that no move of it at the same time commits."""
    head = _read_view(connection, environment)
    if head:
        _point(connection, environment, head)


def _point(connection: DuckDBPyConnection, environment: str, head: HeadRow) -> None:
    connection.execute(
        f"create or replace view lake._dataops.{identifier(head_view(environment))} as select "
        f"{literal(head.hash)} as hash, {literal(head.body)} as body, {literal(head.moved)} as moved"
    )


def head_view(environment: str) -> str:
    """Return the name of the view that holds the last event of an environment."""
    return f"head__{environment}"


def _state(event_hash: str, event: Event, moved: Move | None, cut: Cut) -> State:
    return State(
        environment=event.environment,
        sequence=event.sequence,
        hash=event_hash,
        publication=event.publication,
        cut=cut,
        event=event,
        moved=moved,
        release=event.release,
        code=event.code,
        held=event.held,
        pointer=event.pointer,
    )
