"""Verifies the hash chain of one environment: numbers, hashes, order, and the head view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event, Move, hash_of, read_event
from dataops_platform.release.audit.fault import Fault
from dataops_platform.release.audit.transitions import Standing, after, wrong_fields
from dataops_platform.warehouse.ledger import HeadRow, LedgerRow

CutOf = Callable[[str], Cut | None]
"""Returns the cut with a name, or None when it is not stored as it was."""


def chain_faults(rows: Sequence[LedgerRow], cut_of: CutOf) -> Iterator[Fault]:
    """Yield the faults of a chain, given its rows in order of their numbers.

    Each event must have the next number, digest to its hash, name the hash before it, be committed after the event
    before it, and follow from that event's state. The commit order exposes rows that were rewritten with valid hashes.
    """
    wanted, last, before, shown = 1, "", Standing(), dict[int, Move]()
    snapshot = -1
    for row in rows:
        say = _about(row)
        if row.sequence is None or row.sequence < wanted:
            yield say("is there twice" if row.sequence and row.sequence > 0 else "has no number")
            continue
        if row.sequence > wanted:
            yield Fault(row.environment, wanted, "is missing")
        wanted = row.sequence + 1
        if hash_of(row.body) != row.hash:
            yield say("its content does not digest to its hash")
        try:
            event = read_event(row.body)
        except ValueError as error:
            yield say(f"is no event: {str(error)[:80]}")
            last, before = row.hash, Standing()
            continue
        if event.previous != last:
            yield say("it was not written behind the event before it")
        if (event.environment, event.sequence) != (row.environment, row.sequence):
            yield say(f"it says it is event {event.sequence} of {event.environment}")
        if row.snapshot <= snapshot:
            yield say("it was not committed after the event before it")
        for what in wrong_fields(event, cut_of(event.cut) if isinstance(event, Move) else None, before, shown):
            yield say(what)
        if isinstance(event, Move):
            shown[row.sequence] = event
        last, snapshot, before = row.hash, max(snapshot, row.snapshot), after(event)


def head_faults(environment: str, rows: Sequence[LedgerRow], head: HeadRow | None) -> Iterator[Fault]:
    """Yield the faults of the head view, which must hold the last event and the last that moved the environment."""
    last = rows[-1] if rows else None
    if head is None:
        if last:
            yield _about(last)("no head view says that it is the last")
        return
    number = _sequence_of(head.body)
    if last is None:
        yield Fault(environment, number, "the head view says it, and no event is there")
        return
    if (head.hash, head.body) != (last.hash, last.body):
        newest = max(number, last.sequence or 0)
        yield Fault(environment, newest, f"the head view says event {number}, and the last is event {last.sequence}")
        return
    moved = next((row for row in reversed(rows) if isinstance(_event(row.body), Move)), None)
    if head.moved != (moved.body if moved else ""):
        yield Fault(environment, moved.sequence or 0 if moved else 0, "the head view shows another cut than it")


def _event(text: str) -> Event | None:
    """Return the event of a text, or None for another text."""
    try:
        return read_event(text)
    except (TypeError, ValueError):
        return None


def _sequence_of(text: str) -> int:
    event = _event(text)
    return event.sequence if event else 0


def _about(row: LedgerRow) -> Callable[[str], Fault]:
    return lambda what: Fault(row.environment, max(row.sequence or 0, 0), what)
