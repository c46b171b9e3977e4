"""Delivery metrics of an environment, computed from its ledger and the times of git's commits."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import SystemFailed, UsedWrongly
from dataops_platform.kit.git import git
from dataops_platform.manifests.events import Event, Promotion, Refusal, Rollback
from dataops_platform.manifests.history import lineage
from dataops_platform.release.release import Release, releases_of
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.session import Session

WEEK_S = 7 * 86400


@dataclass(frozen=True)
class Moved:
    """A promotion in the report.

    `waited_s` has the ages of the commits that it delivered first, newest commit first. `restored_s` is the time until
    the rollback at `taken_back_at`; both are None for a promotion that was not rolled back.
    """

    sequence: int
    release: str
    at: str
    actor: str
    waited_s: tuple[float, ...]
    taken_back_at: str | None
    restored_s: float | None


@dataclass(frozen=True)
class Report:
    """Delivery metrics of an environment since a moment. None stands for a metric without data.

    `lead_time_s` is the median time from a commit to the first promotion of a release with it. `restore_s` is the
    median time from a promotion to the rollback that took it back. `failed_share` is the share of promotions that were
    rolled back. `refused` counts plans that a gate other than approval refused.
    """

    environment: str
    since: str | None
    until: str
    promotions: tuple[Moved, ...]
    refused: int
    per_week: float | None
    lead_time_s: float | None
    restore_s: float | None
    failed_share: float | None

    @property
    def failed(self) -> int:
        """The number of promotions that were rolled back."""
        return sum(one.taken_back_at is not None for one in self.promotions)

    def to_plain(self) -> dict[str, Any]:
        """Return the report as a JSON-like record."""
        promotions = [{**one.__dict__, "waited_s": list(one.waited_s)} for one in self.promotions]
        return {**self.__dict__, "promotions": promotions, "failed": self.failed}


def report_of(session: Session, since: str = "") -> Report:
    """Return the report on the session's environment since a time in ISO format, UTC unless it has a zone.

    An empty `since` covers the whole ledger. Raises: UsedWrongly DP-L065 for another text.
    """
    project, lake = session.project, session.lake
    start, now = _moment(since) if since else None, session.now()
    events = lake.events(project.environment)
    releases = {release.id: release for release in releases_of(lake)}
    promotions = [one for one in _promotions(project, events, releases) if start is None or _time(one.at) >= start]
    refused = {e.plan for e in _refusals(events) if start is None or _time(e.at) >= start}
    restored = [one.restored_s for one in promotions if one.restored_s is not None]
    waited = [seconds for one in promotions for seconds in one.waited_s]
    began = start or min((_time(one.at) for one in promotions), default=now)
    return Report(
        environment=project.environment,
        since=start.isoformat() if start else None,
        until=now.isoformat(),
        promotions=tuple(promotions),
        refused=len(refused),
        per_week=_per_week(len(promotions), began, now),
        lead_time_s=statistics.median(waited) if waited else None,
        restore_s=statistics.median(restored) if restored else None,
        failed_share=len(restored) / len(promotions) if promotions else None,
    )


def _refusals(events: Sequence[Event]) -> list[Refusal]:
    """Return the refusals in which a gate other than approval failed."""
    found = [event for event in events if isinstance(event, Refusal)]
    return [e for e in found if any(one.verdict == "fail" and one.gate != "approval" for one in e.gates)]


def _per_week(count: int, began: dt.datetime, now: dt.datetime) -> float | None:
    """Return promotions per week, over a span of at least one week; None without promotions."""
    return count / max(1.0, (now - began).total_seconds() / WEEK_S) if count else None


def _promotions(project: Project, events: Sequence[Event], releases: Mapping[str, Release]) -> Iterator[Moved]:
    taken_back = _taken_back(events)
    promoted = [event for event in events if isinstance(event, Promotion)]
    known: set[str] = set()
    before = ""
    for event in promoted:
        release = releases.get(event.release)
        commit = release.commit if release else ""
        commits = _commits(project, before, commit) if commit else {}
        waited = [_seconds(when, event.at) for one, when in commits.items() if one not in known]
        known |= commits.keys()  # a commit counts once, in the first promotion that delivers it
        before = commit or before
        back = taken_back.get(event.sequence)
        yield Moved(
            sequence=event.sequence,
            release=event.release,
            at=event.at,
            actor=event.actor,
            waited_s=tuple(waited),
            taken_back_at=back,
            restored_s=_seconds(event.at, back) if back else None,
        )


def _taken_back(events: Sequence[Event]) -> dict[int, str]:
    """Return when promotions were rolled back, by their event numbers: the time of the first rollback behind them."""
    found: dict[int, str] = {}
    for index, event in enumerate(events):
        if not isinstance(event, Rollback):
            continue
        path = lineage(events[:index])
        left = [e for e in path if e.sequence > event.to and isinstance(e, Promotion)]
        found |= {e.sequence: event.at for e in left if e.sequence not in found}
    return found


def _commits(project: Project, before: str, commit: str) -> dict[str, str]:
    """Return the times of a release's commit and of those that changed the project since the commit `before`.

    The first release has only its own commit: earlier ones are older than the ledger. Empty for an unknown commit.
    """
    own = _log(project, "-1", commit)
    since = _log(project, f"{before}..{commit}", "--", ".") if own and before else {}
    return own | since


def _log(project: Project, *arguments: str) -> dict[str, str]:
    try:
        log = git(project.home, "log", "--format=%H %cI", *arguments)
    except SystemFailed:
        return {}
    return dict(line.split() for line in log.splitlines())


def _seconds(then: str, now: str) -> float:
    return (_time(now) - _time(then)).total_seconds()


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _moment(text: str) -> dt.datetime:
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UsedWrongly("DP-L065", text=text) from None
    return (when if when.tzinfo else when.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)


def report_lines(report: Report) -> list[tuple[str, str]]:
    """Return the report as pairs of label and text, with `none yet` for a metric without data."""
    count, failed = len(report.promotions), report.failed
    return [
        ("promotions", str(count) if count else "none yet"),
        ("a week", _or_none(report.per_week, lambda n: f"{n:.1f}")),
        ("lead time, commit to promotion", _or_none(report.lead_time_s, _span)),
        ("taken back", _or_none(report.failed_share, lambda share: f"{failed} of {count} ({share:.0%})")),
        ("time to restore", _or_none(report.restore_s, _span)),
        ("refused by a gate, not approval", str(report.refused) if report.refused else "none yet"),
    ]


def promotion_rows(promotions: Iterable[Moved]) -> list[dict[str, Any]]:
    """Return a row for each promotion, newest first."""
    return [
        {
            "event": one.sequence,
            "release": short(one.release),
            "at": one.at[:19],
            "by": one.actor,
            "commits": len(one.waited_s),
            "waited": _span(statistics.median(one.waited_s)) if one.waited_s else "",
            "taken_back": one.taken_back_at[:19] if one.taken_back_at else "",
        }
        for one in reversed(list(promotions))
    ]


def _or_none(number: float | None, shown: Callable[[float], str]) -> str:
    return "none yet" if number is None else shown(number)


def _span(seconds: float) -> str:
    """Return a span of time in the largest unit of which it has at least two: `90 s`, `36.0 h`, `3.5 d`."""
    for base, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * base:
            return f"{seconds / base:.1f} {unit}"
    return f"{seconds:.0f} s"
