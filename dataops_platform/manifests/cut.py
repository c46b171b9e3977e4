"""A cut: versions of tables and models that were made from one another."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dataops_platform.kit.digests import canonical_json, digest_of, digest_of_bytes
from dataops_platform.kit.record import Record, plain_of, record_of
from dataops_platform.manifests.manifest import Head, InputRef, Kind, Manifest
from dataops_platform.manifests.windows import Windows

FORMAT = 1
"""The format of a cut; docs/concepts/formats.md says when it is raised."""


@dataclass(frozen=True)
class Member(Record):
    """One table or model of a cut. `version` and `area` are locators and not part of the cut's identity."""

    name: str
    kind: Kind
    version: str
    windows: Windows
    area: str = ""
    """The environment whose build area (for a model: whose registered name) holds the version."""

    @property
    def digest(self) -> str:
        """Digest of the content."""
        return self.windows.digest

    @property
    def rows(self) -> int:
        """Audited rows; of a model those that it was made from."""
        return self.windows.rows

    @property
    def contract(self) -> str:
        """Digest of the contracts that its windows were audited under."""
        return digest_of(list(self.windows.contracts))


@dataclass(frozen=True)
class Cut(Record):
    """Members in order of name. `under` holds what they were made from, where an environment received that without
    showing it.
    """

    members: tuple[Member, ...]
    under: tuple[Member, ...] | None = None
    format: int = FORMAT

    @cached_property
    def id(self) -> str:
        """The publication's id: a digest of names, contents, windows and contracts, not of versions, runs or times."""
        return digest_of([[m.name, m.kind, m.digest, m.windows.root, m.contract] for m in self.members])

    @cached_property
    def name(self) -> str:
        """The digest of the stored text, which covers the whole cut, also the locators of its members."""
        return digest_of_bytes(self.to_text().encode())

    def member(self, name: str) -> Member | None:
        """Return the member called `name`, or None."""
        return next((m for m in self.members if m.name == name), None)

    def to_text(self) -> str:
        """Return the stored text: canonical JSON."""
        return canonical_json(plain_of(self))

    @classmethod
    def from_text(cls, text: str) -> Cut:
        """Return the cut that `to_text` wrote. Raises: ValueError for another text."""
        return record_of(cls, json.loads(text))


def cut_of(heads: Iterable[Head]) -> Cut:
    """Return the cut of these heads."""
    members = [Member(head.name, head.kind, head.version, head.windows, head.area) for head in heads]
    return Cut(tuple(sorted(members, key=lambda m: m.name)))


def member_row(member: Member) -> dict[str, Any]:
    """A member as a row of a table for people."""
    return {
        "name": member.name,
        "kind": member.kind,
        "rows": member.rows,
        "windows": member.windows.count,
        "digest": member.digest,
        "area": member.area,
        "version": member.version,
    }


@dataclass(frozen=True)
class Stale:
    """A member that was made from other content of `source` than the cut shows."""

    name: str
    source: str
    partition: str = ""

    def __str__(self) -> str:
        part = f" (partition {self.partition})" if self.partition else ""
        return f"{self.name}{part} was made from an older {self.source}"


def judged_members(heads: Mapping[str, Head], consistent: Cut) -> set[str]:
    """The members that `stale_members` must look at, where those of `consistent` were made from one another.

    What changed since, what was made from that, and what was made from something outside the cut that it shares with
    what changed: two contents of it would not be consistent.
    """
    before = {member.name: member.windows.node for member in consistent.members}
    changed = {name for name, head in heads.items() if before.get(name) != head.windows.node}
    touched = changed | {name for one in changed for name in heads[one].windows.lineage}
    return {name for name, head in heads.items() if name in changed or touched & {*head.windows.lineage}}


def stale_members(
    heads: Mapping[str, Head],
    manifests_of: Callable[[InputRef], Collection[Manifest]],
    newest: Mapping[str, Head] | None = None,
    older: Collection[str] = (),
    judged: Collection[str] | None = None,
) -> list[Stale]:
    """Return the heads of a cut that were made from inputs other than those in the cut; empty when it is consistent.

    Inputs outside the cut are followed down to members of it; all members must be made from the same content of such an
    input. `newest` has the heads of everything and decides which of two contents is the older one. `older` are members
    that may be made from older inputs: models of a release, which new data does not retrain. Only the members of
    `judged` are looked at, when it is given. `manifests_of` returns the manifests of an input. A file has no manifest:
    the extract stage knows which of its lines came when.
    """
    found: dict[Stale, None] = {}
    newest = newest or {}
    known: dict[InputRef, Collection[Manifest]] = {}  # many members come from the same few
    outside: dict[tuple[str, str], dict[str, list[Stale]]] = {}
    for head in (head for name, head in heads.items() if name not in older and (judged is None or name in judged)):
        seen: set[tuple[str, str]] = set()
        todo = [(manifest.partition, ref) for manifest in head.manifests for ref in manifest.step.inputs]
        while todo:
            partition, ref = todo.pop()
            if ref.name in heads:
                if _digest(heads[ref.name], ref.partition) != ref.digest:
                    found[Stale(head.name, ref.name, partition)] = None
                continue
            if not ref.is_made:
                continue
            contents = outside.setdefault((ref.name, ref.partition), {})
            contents.setdefault(ref.digest, []).append(Stale(head.name, ref.name, partition))
            if ref not in known:
                known[ref] = manifests_of(ref)
            new = [manifest for manifest in known[ref] if (partition, manifest.id) not in seen]
            seen |= {(partition, manifest.id) for manifest in new}
            todo += [(partition, inner) for manifest in new for inner in manifest.step.inputs]
    for (name, partition), contents in outside.items():
        if len(contents) > 1:
            now = newest.get(name)
            current = _digest(now, partition) if now else None
            found |= dict.fromkeys(s for digest, all_ in contents.items() if digest != current for s in all_)
    return list(found)


def _digest(head: Head, partition: str) -> str | None:
    if not partition:
        return head.digest
    return head.partitions[partition].digest if partition in head.partitions else None
