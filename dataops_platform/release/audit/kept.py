"""Kept releases and plans: is each what its name says, and what the events say that name it?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataops_platform.kit.digests import digest_of_bytes, short
from dataops_platform.release.audit.fault import Fault
from dataops_platform.release.promotion.plan import PLAN, Plan
from dataops_platform.release.release import RELEASE, Release

Document = tuple[str, str, str]
"""Kind, name and text of a kept document."""


def kept_faults(documents: Sequence[Document], events: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Each release and plan digests to its name; those that events name are kept as they were when those were written.

    A fault is told at the first event that names the document.
    """
    named: dict[str, tuple[str, int]] = {}
    for event in events:
        for key in ("built", "plan"):
            if event.get(key):
                named.setdefault(event[key], (event["environment"], event["sequence"]))
    return [*_misnamed(documents, named), *_changed(documents, events)]


def _misnamed(documents: Sequence[Document], named: Mapping[str, tuple[str, int]]) -> Iterator[Fault]:
    first: dict[tuple[str, str], str] = {}
    for kind, name, text in documents:
        where = named.get(name, ("", 0))
        if first.setdefault((kind, name), text) != text and kind == RELEASE:
            yield Fault(*where, f"{kind} {short(name)} is kept twice, and not the same")
        if not _is_named_rightly(kind, name, text):
            yield Fault(*where, f"the kept {kind} {short(name)} does not digest to its name")


def _changed(documents: Sequence[Document], events: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    texts = {(kind, name): digest_of_bytes(text.encode()) for kind, name, text in reversed(documents)}
    for event in events:
        for kind, key, written in ((RELEASE, "built", "document"), (PLAN, "plan", "plan_document")):
            name, digest = event.get(key), event.get(written)
            if name and digest and texts.get((kind, name)) != digest:
                what = "is not kept any more" if (kind, name) not in texts else "was changed since"
                yield Fault(event["environment"], event["sequence"], f"the {kind} {short(name)} it names {what}")
        if event["kind"] == "promotion" and event["release"] and (RELEASE, event["release"]) not in texts:
            what = f"the release {short(event['release'])} it shows is not kept any more"
            yield Fault(event["environment"], event["sequence"], what)


def _is_named_rightly(kind: str, name: str, text: str) -> bool:
    try:
        plain = json.loads(text)
        if kind == RELEASE:
            release = Release.from_plain(plain)
            return bool(release.id == plain["id"] == name and release.contents == plain["contents"])
        return bool(kind != PLAN or Plan.from_plain(plain).id == plain["id"] == name)
    except (TypeError, KeyError, ValueError):
        return False
