"""The history of an environment, from the events of its ledger: which states it showed, and which came before which."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_platform.manifests.events import Collection, Drop, Event, Move, Rollback


def moves(events: Sequence[Event]) -> list[Move]:
    """The events that moved an environment, oldest first."""
    return [event for event in events if isinstance(event, Move)]


def ever_showed_a_model(events: Sequence[Event]) -> bool:
    """Whether any state of an environment had a model: only then anything in a registry follows it."""
    return any(event.models for event in moves(events))


def lineage(events: Sequence[Event]) -> list[Move]:
    """The moves that led to what is shown now, oldest first; a rollback takes back all that came after its target.

    A rollback names the `to` it returned to: the sequence of a promotion, publication or creation. What was shown
    before an environment was dropped led to nothing.
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
    """The last state of the release before the one shown; None when there is none."""
    path = lineage(events)
    return next((e for e in reversed(path) if e.release != path[-1].release), None)


def publication_before(events: Sequence[Event]) -> Move | None:
    """The state before, within the release shown, that showed other data; None when there is none."""
    path = lineage(events)
    for event in reversed(path):
        if event.release != path[-1].release:
            return None
        if event.publication != path[-1].publication:
            return event
    return None


def original(events: Sequence[Event], event: Move) -> Move:
    """The promotion, publication or creation whose state an event shows; itself unless it is a rollback."""
    if not isinstance(event, Rollback):
        return event
    return next(e for e in moves(events) if e.sequence == event.to)


def state_at(events: Sequence[Event], moment: str) -> Move | None:
    """The move that made what was shown at a moment (ISO format, UTC); None before the first."""
    return next((event for event in reversed(moves(events)) if event.at <= moment), None)


def collection_of(events: Sequence[Event], sequence: int) -> Collection | None:
    """The event by which the state of another event was given up, so that nothing can return to it."""
    return next((e for e in events if isinstance(e, Collection) and sequence in e.collected), None)
