"""The history of an environment, from the events of its ledger: which states it showed, and which led to which."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_platform.manifests.events import Collection, Drop, Event, Move, Rollback


def moves(events: Sequence[Event]) -> list[Move]:
    """Return the events that moved an environment, oldest first."""
    return [event for event in events if isinstance(event, Move)]


def ever_showed_a_model(events: Sequence[Event]) -> bool:
    """Return whether any state of an environment had a model; without one, nothing in a registry follows it."""
    return any(event.models for event in moves(events))


def lineage(events: Sequence[Event]) -> list[Move]:
    """Return the moves that led to what is shown now, oldest first. A rollback takes back all moves after its target.

    A rollback's `to` is the sequence of its target: a promotion, a publication or a creation. A drop ends the lineage
    of everything before it.
    """
    known = moves(events)
    led_to: dict[int, tuple[int, ...]] = {}
    now: tuple[int, ...] = ()
    for event in known:
        if isinstance(event, Drop):
            now = ()
        else:
            now = led_to[event.to] if isinstance(event, Rollback) else (*now, event.sequence)
        led_to[event.sequence] = now
    by_sequence = {event.sequence: event for event in known}
    return [by_sequence[sequence] for sequence in now]


def state_before_release(events: Sequence[Event]) -> Move | None:
    """Return the last state of the release before the one shown, or None."""
    path = lineage(events)
    return next((e for e in reversed(path) if e.release != path[-1].release), None)


def publication_before(events: Sequence[Event]) -> Move | None:
    """Return the last state before the current one that showed other data under the same release, or None."""
    path = lineage(events)
    for event in reversed(path):
        if event.release != path[-1].release:
            return None
        if event.publication != path[-1].publication:
            return event
    return None


def original(events: Sequence[Event], event: Move) -> Move:
    """Return the promotion, publication or creation whose state an event shows: a rollback's target, else itself."""
    if not isinstance(event, Rollback):
        return event
    return next(e for e in moves(events) if e.sequence == event.to)


def state_at(events: Sequence[Event], moment: str) -> Move | None:
    """Return the move whose state was shown at a moment (ISO format, UTC); None before the first."""
    return next((event for event in reversed(moves(events)) if event.at <= moment), None)


def collection_of(events: Sequence[Event], sequence: int) -> Collection | None:
    """Return the garbage collection that removed the state of event `sequence`, or None."""
    return next((e for e in events if isinstance(e, Collection) and sequence in e.collected), None)
