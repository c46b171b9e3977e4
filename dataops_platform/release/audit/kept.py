"""Verifies stored releases and plans against their ids and against the events that name them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dataops_platform.kit.digests import digest_of_bytes, short
from dataops_platform.manifests.events import Approval, Build, Event, Promotion, Refusal
from dataops_platform.release.audit.fault import Fault
from dataops_platform.release.promotion.plan import PLAN, Plan
from dataops_platform.release.release import RELEASE, Release

StoredDocument = tuple[str, str, str]
"""The kind, name and text of a stored document."""


@dataclass(frozen=True)
class _Named:
    """A document that an event names. `digest` is that of its text, or empty when the event does not record it."""

    kind: str
    name: str
    digest: str = ""


def kept_faults(documents: Sequence[StoredDocument], events: Sequence[Event]) -> list[Fault]:
    """Return the faults of stored releases and plans.

    Each must digest to its name, and be unchanged since the events that name it. The release of each promotion must be
    stored. A document that does not digest to its name is reported at the first event that names it.
    """
    named: dict[str, tuple[str, int]] = {}
    for event in events:
        for one in _named(event):
            named.setdefault(one.name, (event.environment, event.sequence))
    return [*_misnamed(documents, named), *_changed(documents, events)]


def _misnamed(documents: Sequence[StoredDocument], named: Mapping[str, tuple[str, int]]) -> Iterator[Fault]:
    first: dict[tuple[str, str], str] = {}
    for kind, name, text in documents:
        where = named.get(name, ("", 0))
        if first.setdefault((kind, name), text) != text and kind == RELEASE:
            yield Fault(*where, f"{kind} {short(name)} is kept twice, and not the same")
        if not _is_named_rightly(kind, name, text):
            yield Fault(*where, f"the kept {kind} {short(name)} does not digest to its name")


def _changed(documents: Sequence[StoredDocument], events: Sequence[Event]) -> Iterator[Fault]:
    texts = {(kind, name): digest_of_bytes(text.encode()) for kind, name, text in reversed(documents)}
    for event in events:
        for one in _named(event):
            if one.digest and texts.get((one.kind, one.name)) != one.digest:
                what = "is not kept any more" if (one.kind, one.name) not in texts else "was changed since"
                message = f"the {one.kind} {short(one.name)} it names {what}"
                yield Fault(event.environment, event.sequence, message)
        if isinstance(event, Promotion) and event.release and (RELEASE, event.release) not in texts:
            what = f"the release {short(event.release)} it shows is not kept any more"
            yield Fault(event.environment, event.sequence, what)


def _named(event: Event) -> Iterator[_Named]:
    """Yield the documents that an event names."""
    if isinstance(event, Build):
        yield _Named(RELEASE, event.built, event.document)
    elif isinstance(event, Promotion):
        yield _Named(PLAN, event.plan, event.plan_document)
    elif isinstance(event, Approval | Refusal):
        yield _Named(PLAN, event.plan)


def _is_named_rightly(kind: str, name: str, text: str) -> bool:
    try:
        plain = json.loads(text)
        if kind == RELEASE:
            release = Release.from_plain(plain)
            return bool(release.id == plain["id"] == name and release.contents == plain["contents"])
        return bool(kind != PLAN or Plan.from_plain(plain).id == plain["id"] == name)
    except (TypeError, KeyError, ValueError):
        return False
