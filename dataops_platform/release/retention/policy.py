"""What must be kept: the states that environments may return to, their releases, and what they were made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.manifests.cut import Member
from dataops_platform.manifests.events import Event, Move
from dataops_platform.manifests.history import lineage, moves
from dataops_platform.manifests.manifest import Head
from dataops_platform.release.release import Release
from dataops_platform.warehouse import nodes
from dataops_platform.warehouse.expiry import pinned
from dataops_platform.warehouse.heads import Written, trees_in_use, written_since
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.ledger import read_cut_names

RECENTLY = dt.timedelta(hours=1)
"""What was a head or was shown within this time is kept whatever is asked for: a run may be reading it."""


@dataclass(frozen=True)
class Retention:
    """How far back: the last so many releases of each environment, and all that was shown within so many days.

    `inputs`: also the raw tables that kept states were made from, so that they can be made again.
    """

    releases: int = 10
    days: int = 90
    inputs: bool = False

    def __post_init__(self) -> None:
        if self.releases < 1 or self.days < 0:
            raise UsedWrongly("DP-L061", releases=self.releases, days=self.days)


def retention_of(releases: int | None, days: int | None, *, inputs: bool = False) -> Retention:
    """What was asked for: the usual when nothing was, and only the one that was said when it was one."""
    if releases is None and days is None:
        return Retention(inputs=inputs)
    return Retention(1 if releases is None else releases, 0 if days is None else days, inputs)


@dataclass(frozen=True)
class Needed:
    """Snapshots by number, and models by name and digest, in whatever area they are registered."""

    snapshots: frozenset[int]
    models: frozenset[tuple[str, str]]

    def has(self, member: Member) -> bool:
        """Whether a member of a cut is needed."""
        if member.kind == "model":
            return (member.name, member.digest) in self.models
        return int(member.version) in self.snapshots


def kept_states(events: Sequence[Event], retention: Retention, now: dt.datetime) -> list[Move]:
    """The moves of one environment whose states are kept, oldest first.

    Those of the last releases that led to what it shows (without a release a publication counts as one), and all that
    were shown since the first of the days, also those that were taken back.
    """
    kept = {event.sequence for event in _last_releases(lineage(events), retention.releases)}
    since = _iso(now - max(dt.timedelta(days=retention.days), RECENTLY))
    known = moves(events)
    for event, after in zip(known, [*known[1:], None], strict=True):
        if after is None or after.at >= since:
            kept.add(event.sequence)
    return [event for event in known if event.sequence in kept]


def _last_releases(path: Sequence[Move], count: int) -> list[Move]:
    """The states at the end of a path that belong to so many releases."""
    found: list[Move] = []
    seen = 0
    for event in reversed(path):
        if not found or not event.release or event.release != found[-1].release:
            seen += 1
        if seen > count:
            break
        found.append(event)
    return found


def kept_releases(
    releases: Sequence[Release], shown: Iterable[Move], retention: Retention, now: dt.datetime
) -> list[Release]:
    """The releases of kept states, those built within the days, and the last built in each environment."""
    of_states = {event.release for event in shown}
    since = _iso(now - max(dt.timedelta(days=retention.days), RECENTLY))
    last: dict[str, list[str]] = {}
    for release in releases:
        last.setdefault(release.built_in, []).append(release.id)
    newest = {name for ids in last.values() for name in ids[-retention.releases :]}
    return [r for r in releases if r.id in of_states or r.id in newest or r.built_at >= since]


def needed_by(
    lake: Lake, environments: Iterable[str], states: Iterable[Move], releases: Iterable[Release], now: dt.datetime
) -> Needed:
    """What these states and releases show, what stands in any build area, and what any view is pinned to."""
    members = [m for event in states for m in lake.cut(event).members]
    members += [m for release in releases for m in release.cut.members]
    heads = [head for name in environments for head in lake.heads(name).values()]
    written = written_since(lake.connection, _iso(now - RECENTLY))
    found: list[Member | Head | Written] = [*members, *heads, *written]
    tables = {int(one.version) for one in found if one.kind == "table"}
    models = {(one.name, one.digest) for one in found if one.kind == "model"}
    return Needed(frozenset(tables | pinned(lake.connection)), frozenset(models))


def unneeded_nodes(lake: Lake, states: Iterable[Move], releases: Iterable[Release]) -> frozenset[str]:
    """Kept texts that nothing names: neither these states and releases, nor any head, manifest or event.

    Cuts stay with the events that name them, also of states that nothing can return to.
    """
    cuts = [*(lake.cut(event) for event in states), *(release.cut for release in releases)]
    trees = {member.windows.node for cut in cuts for member in (*cut.members, *(cut.under or ()))}
    trees |= trees_in_use(lake.connection)
    return nodes.unneeded(lake.connection, trees, read_cut_names(lake.connection))


def _iso(moment: dt.datetime) -> str:
    return moment.isoformat()
