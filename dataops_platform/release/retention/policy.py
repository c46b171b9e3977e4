"""The retention policy: which states and releases are retained, and which versions they use."""

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
"""What was a head or was shown within this time is always retained: a run may be reading it."""


@dataclass(frozen=True)
class Retention:
    """What to retain of each environment: the last `releases` releases, and all that was shown within `days` days.

    `inputs` also retains the source tables of retained states, which `dataops reproduce` starts from.
    Raises: UsedWrongly DP-L061 for fewer than one release or a negative number of days.
    """

    releases: int = 10
    days: int = 90
    inputs: bool = False

    def __post_init__(self) -> None:
        if self.releases < 1 or self.days < 0:
            raise UsedWrongly("DP-L061", releases=self.releases, days=self.days)


def retention_of(releases: int | None, days: int | None, *, inputs: bool = False) -> Retention:
    """Return the retention for two options of the command line; None stands for one that is not given.

    Without both, the defaults apply. With only one, the other is at its minimum: one release, zero days.
    """
    if releases is None and days is None:
        return Retention(inputs=inputs)
    return Retention(1 if releases is None else releases, 0 if days is None else days, inputs)


@dataclass(frozen=True)
class Needed:
    """What retained states use: snapshots by number, and models by name and digest in any build area."""

    snapshots: frozenset[int]
    models: frozenset[tuple[str, str]]

    def has(self, member: Member) -> bool:
        """Return whether a member of a cut is used."""
        if member.kind == "model":
            return (member.name, member.digest) in self.models
        return int(member.version) in self.snapshots


def kept_states(events: Sequence[Event], retention: Retention, now: dt.datetime) -> list[Move]:
    """Return the moves of one environment whose states are retained, oldest first.

    They are the states of the last releases in the lineage of the shown state, where a publication without a release
    counts as one, and all states shown within the retained days, also those that a rollback left.
    """
    kept = {event.sequence for event in _last_releases(lineage(events), retention.releases)}
    since = _iso(now - max(dt.timedelta(days=retention.days), RECENTLY))
    known = moves(events)
    for event, after in zip(known, [*known[1:], None], strict=False):  # without moves there is no last one
        if after is None or after.at >= since:
            kept.add(event.sequence)
    return [event for event in known if event.sequence in kept]


def _last_releases(path: Sequence[Move], count: int) -> list[Move]:
    """Return the states of the last `count` releases of a lineage, newest first."""
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
    """Return the releases of retained states, those built within the days, and the last that each environment built."""
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
    """Return what states and releases show, what is or recently was a head, and the versions that any view reads."""
    members = [m for event in states for m in lake.cut(event).members]
    members += [m for release in releases for m in release.cut.members]
    heads = [head for name in environments for head in lake.heads(name).values()]
    written = written_since(lake.connection, _iso(now - RECENTLY))
    found: list[Member | Head | Written] = [*members, *heads, *written]
    tables = {int(one.version) for one in found if one.kind == "table"}
    models = {(one.name, one.digest) for one in found if one.kind == "model"}
    return Needed(frozenset(tables | pinned(lake.connection)), frozenset(models))


def unneeded_nodes(lake: Lake, states: Iterable[Move], releases: Iterable[Release]) -> frozenset[str]:
    """Return the digests of stored texts that no state, release, head, manifest or event refers to.

    An event retains its cut even when its state is deleted.
    """
    cuts = [*(lake.cut(event) for event in states), *(release.cut for release in releases)]
    trees = {member.windows.node for cut in cuts for member in (*cut.members, *(cut.under or ()))}
    trees |= trees_in_use(lake.connection)
    return nodes.unneeded(lake.connection, trees, read_cut_names(lake.connection))


def _iso(moment: dt.datetime) -> str:
    return moment.isoformat()
