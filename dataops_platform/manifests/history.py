"""The history of an environment, from the events of its ledger: which states it showed, and which came before which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Event = Mapping[str, Any]

POINTERS = frozenset({"creation", "promotion", "rollback", "drop"})
"""Events that point an environment at a release and at what was built for it, or at nothing; plans are made against
these."""
MOVES = POINTERS | {"publication"}
"""Events after which an environment shows another cut."""


def moves(events: Sequence[Event]) -> list[Event]:
    """The events that moved an environment, oldest first."""
    return [event for event in events if event["kind"] in MOVES]


def ever_showed_a_model(events: Sequence[Event]) -> bool:
    """Whether any state of an environment had a model: only then anything in a registry follows it."""
    return any(member["kind"] == "model" for event in moves(events) for member in event["cut"])


def lineage(events: Sequence[Event]) -> list[Event]:
    """The moves that led to what is shown now, oldest first; a rollback takes back all that came after its target.

    A rollback names the `to` it returned to: the sequence of a promotion, publication or creation. What was shown
    before an environment was dropped led to nothing.
    """
    led_to: dict[int, tuple[int, ...]] = {}
    now: tuple[int, ...] = ()
    for event in moves(events):
        if event["kind"] == "drop":
            now = ()
        else:
            now = led_to[event["to"]] if event["kind"] == "rollback" else (*now, event["sequence"])
        led_to[event["sequence"]] = now
    by_sequence = {event["sequence"]: event for event in events}
    return [by_sequence[sequence] for sequence in now]


def state_before_release(events: Sequence[Event]) -> Event | None:
    """The last state of the release before the one shown; None when there is none."""
    path = lineage(events)
    return next((e for e in reversed(path) if e["release"] != path[-1]["release"]), None)


def publication_before(events: Sequence[Event]) -> Event | None:
    """The state before, within the release shown, that showed other data; None when there is none."""
    path = lineage(events)
    for event in reversed(path):
        if event["release"] != path[-1]["release"]:
            return None
        if event["publication"] != path[-1]["publication"]:
            return event
    return None


def original(events: Sequence[Event], event: Event) -> Event:
    """The promotion, publication or creation whose state an event shows; itself unless it is a rollback."""
    if event["kind"] != "rollback":
        return event
    return next(e for e in events if e["sequence"] == event["to"])


def state_at(events: Sequence[Event], moment: str) -> Event | None:
    """The move that made what was shown at a moment (ISO format, UTC); None before the first."""
    return next((event for event in reversed(moves(events)) if event["at"] <= moment), None)


def collection_of(events: Sequence[Event], sequence: int) -> Event | None:
    """The event by which the state of another event was given up, so that nothing can return to it."""
    return next((e for e in events if e["kind"] == "collection" and sequence in e["collected"]), None)
