"""The chain of one environment: numbers, hashes, order, and the head view."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dataops_platform.kit.digests import digest_of_bytes
from dataops_platform.manifests.history import MOVES
from dataops_platform.release.audit.fault import Fault
from dataops_platform.release.audit.transitions import NOTHING, Before, after, wrong_fields
from dataops_platform.warehouse.ledger import HeadRow, Row


def chain_faults(rows: Sequence[Row]) -> Iterator[Fault]:
    """Each event has its number, digests to its hash, names the hash before it, and says what follows from it.

    Events come one by one, so each was committed after the one before it: rows written anew show.
    """
    wanted, last, before, shown = 1, "", NOTHING, dict[int, Mapping[str, Any]]()
    snapshot = -1
    for row in rows:
        say = _about(row)
        if row.sequence is None or row.sequence < wanted:
            yield say("is there twice" if row.sequence and row.sequence > 0 else "has no number")
            continue
        if row.sequence > wanted:
            yield Fault(row.environment, wanted, "is missing")
        wanted = row.sequence + 1
        event = _event(row)
        if event is None:
            yield say("is no event")
            last, before = row.hash, NOTHING
            continue
        if digest_of_bytes(row.body.encode()) != row.hash:
            yield say("its content does not digest to its hash")
        if event["previous"] != last:
            yield say("it was not written behind the event before it")
        if (event["environment"], event["sequence"]) != (row.environment, row.sequence):
            yield say(f"it says it is event {event['sequence']} of {event['environment']}")
        if row.snapshot <= snapshot:
            yield say("it was not committed after the event before it")
        for what in wrong_fields(event, before, shown):
            yield say(what)
        if event["kind"] in MOVES:
            shown[row.sequence] = event
        last, snapshot, before = row.hash, max(snapshot, row.snapshot), after(event)


def head_faults(environment: str, rows: Sequence[Row], head: HeadRow | None) -> Iterator[Fault]:
    """The head view says the last event, and the last that moved the environment."""
    last = rows[-1] if rows else None
    if head is None:
        if last:
            yield _about(last)("no head view says that it is the last")
        return
    said = _sequence_of(head.body)
    if last is None:
        yield Fault(environment, said, "the head view says it, and no event is there")
        return
    if (head.hash, head.body) != (last.hash, last.body):
        newest = max(said, last.sequence or 0)
        yield Fault(environment, newest, f"the head view says event {said}, and the last is event {last.sequence}")
        return
    moved = next((row for row in reversed(rows) if (_event(row) or {}).get("kind") in MOVES), None)
    if head.moved != (moved.body if moved else "{}"):
        yield Fault(environment, moved.sequence or 0 if moved else 0, "the head view shows another cut than it")


def _event(row: Row) -> Before | None:
    """The event of a row, if it is one."""
    try:
        event = json.loads(row.body)
        known = {"kind", "environment", "sequence", "previous", "at", *NOTHING}
        return event if isinstance(event, dict) and known <= event.keys() else None
    except (TypeError, ValueError):
        return None


def _sequence_of(body: str) -> int:
    try:
        return int(json.loads(body)["sequence"])
    except (TypeError, ValueError, KeyError):
        return 0


def _about(row: Row) -> Callable[[str], Fault]:
    return lambda what: Fault(row.environment, max(row.sequence or 0, 0), what)
