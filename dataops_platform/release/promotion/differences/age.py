"""Compares the age of a release's data with what is shown: a promotion can lead to older data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dataops_platform.kit.clock import ago
from dataops_platform.manifests.events import Event, Move
from dataops_platform.manifests.history import moves
from dataops_platform.manifests.manifest import Head
from dataops_platform.release.promotion.differences.section import Section, section
from dataops_platform.release.promotion.gates.question import Question


def age_section(question: Question) -> Section:
    """Return the section about the newest audit of each side, and whether the environment showed the release before."""
    new, old = newest_audit(question.heads.values()), newest_audit(question.shown.values())
    if new is None:
        return section("The release holds no table.")
    message = f"The data was last audited {new.isoformat()[:19]}, {ago(new, question.now)} ago"
    if old is not None:
        message += f"; what is shown, {old.isoformat()[:19]}"
        if new < old:
            message += f": this goes back {ago(new, old)}"
    shown = _first_shown(question.lake.events(question.project.environment), question.release.id)
    if shown and question.state.release != question.release.id:
        message += f". The release was shown here before, first {shown.at[:19]} (event {shown.sequence})"
    return section(f"{message}.")


def newest_audit(heads: Iterable[Head]) -> datetime | None:
    """Return when the newest table was audited, or None without tables."""
    times = [datetime.fromisoformat(head.windows.recorded_at) for head in heads if head.kind == "table"]
    return max(times, default=None)


def _first_shown(events: Sequence[Event], release: str) -> Move | None:
    return next((event for event in moves(events) if event.release == release), None)
