"""What an event may say of the state of its environment, given those before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataops_platform.kit.digests import short
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.history import MOVES, POINTERS

Before = Mapping[str, Any]
NOTHING: Before = {"publication": "", "release": "", "code": "", "held": False, "pointer": 0}
"""What stands before the first event."""

_HOLDS = {"rollback": True, "promotion": False, "resume": False}


def after(event: Before) -> Before:
    """What stands after an event."""
    return {key: event[key] for key in NOTHING}


def wrong_fields(event: Before, before: Before, shown: Mapping[int, Before]) -> Iterator[str]:
    """What an event says that does not follow from the one before it and from its own cut.

    `shown` are the moves so far by their numbers.
    """
    kind = event["kind"]
    if (kind in MOVES) != ("cut" in event):
        yield f"a {kind} {'without' if kind in MOVES else 'with'} a cut"
    publication = _cut_id(event) if "cut" in event else before["publication"]
    if event["publication"] != publication:
        yield f"it says publication {short(event['publication'])}, and its cut is {short(publication)}"
    if event["pointer"] != (event["sequence"] if kind in POINTERS else before["pointer"]):
        yield f"it says that the environment is pointed by event {event['pointer']}"
    for key in ("release", "code"):
        if kind not in POINTERS and event[key] != before[key]:
            yield f"a {kind} does not change the {key}"
    if kind not in POINTERS or kind in _HOLDS:
        held = _HOLDS.get(kind, before["held"])
        if event["held"] != held:
            yield f"after a {kind} it is {'not ' if event['held'] else ''}held"
    if kind == "rollback":
        target = shown.get(event.get("to", 0))
        if target is None:
            yield "it returns to what was never shown"
        elif [event[k] for k in ("publication", "release", "code")] != [
            target[k] for k in ("publication", "release", "code")
        ]:
            yield f"it shows another state than event {event['to']}, to which it returns"


def _cut_id(event: Before) -> str:
    try:
        return Cut.from_plain(event["cut"]).id
    except (TypeError, KeyError):
        return ""
