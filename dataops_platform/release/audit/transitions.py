"""Checks the state that an event records against the events before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dataops_platform.kit.digests import short
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event, Move, Pointing, Rollback


@dataclass(frozen=True)
class Standing:
    """The state after an event. The default values are the state before the first event."""

    publication: str = ""
    release: str = ""
    code: str = ""
    held: bool = False
    pointer: int = 0


def after(event: Event) -> Standing:
    """Return the state that an event records."""
    return Standing(event.publication, event.release, event.code, event.held, event.pointer)


def wrong_fields(event: Event, cut: Cut | None, before: Standing, shown: Mapping[int, Move]) -> Iterator[str]:
    """Yield the fields of an event that do not follow from the state `before` and from the event's own `cut`.

    `cut` is None when the event names no cut, or one that is not stored as it was. `shown` has the earlier moves by
    their numbers.
    """
    if isinstance(event, Move):
        yield from _wrong_cut(event, cut)
    else:
        if "cut" in event.more:
            yield f"a {event.kind} with a cut"
        if event.publication != before.publication:
            yield f"a {event.kind} does not change the publication"
    if event.pointer != (event.sequence if isinstance(event, Pointing) else before.pointer):
        yield f"it says that the environment is pointed by event {event.pointer}"
    if not isinstance(event, Pointing):
        for key in ("release", "code"):
            if getattr(event, key) != getattr(before, key):
                yield f"a {event.kind} does not change the {key}"
    if event.held != (before.held if event.holds is None else event.holds):
        yield f"after a {event.kind} it is {'not ' if event.held else ''}held"
    if isinstance(event, Rollback):
        target = shown.get(event.to)
        if target is None:
            yield "it returns to what was never shown"
        elif (event.publication, event.release, event.code) != (target.publication, target.release, target.code):
            yield f"it shows another state than event {event.to}, to which it returns"


def _wrong_cut(event: Move, cut: Cut | None) -> Iterator[str]:
    if cut is None:
        yield "the cut it names is not kept as it was"
        return
    if event.publication != cut.id:
        yield f"it says publication {short(event.publication)}, and its cut is {short(cut.id)}"
    models = sum(member.kind == "model" for member in cut.members)
    if (event.tables, event.models) != (len(cut.members) - models, models):
        yield f"it counts {event.tables} tables and {event.models} models, and its cut has others"
