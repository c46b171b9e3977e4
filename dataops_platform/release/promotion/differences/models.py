"""Compares the models of a release with the shown ones: version, digest, and the scores of their training."""

from __future__ import annotations

from typing import Any

from dataops_platform.kit.digests import short
from dataops_platform.manifests.manifest import Head
from dataops_platform.release.promotion.differences.section import Section, count, section
from dataops_platform.release.promotion.gates.question import Question


def models_section(question: Question) -> Section:
    """Return the section about all models of both sides. Their scores may be of different rows: see `judged_on`."""
    before, after = (
        {name: head for name, head in heads.items() if head.kind == "model"}
        for heads in (question.shown, question.heads)
    )
    if not before and not after:
        return section("No model, before or after.")
    records = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old and new and old.digest == new.digest:
            records.append({"model": name, "which": "before and after", **_told(new)})
        else:
            sides = (("before", old), ("after", new))
            records += [{"model": name, "which": which, **_told(head)} for which, head in sides if head]
    same = sum(record["which"] == "before and after" for record in records)
    other = len(before.keys() | after.keys()) - same
    message = f"{count(other, 'model')} {'differs' if other == 1 else 'differ'}, {same} are the same."
    return section(message, models=records)


def _told(head: Head) -> dict[str, Any]:
    details = head.manifests[0].details
    scores = details.get("scores") or [{}]
    judged = details.get("judge") or []
    return {
        "version": head.version,
        "digest": short(head.digest),
        **{metric: scores[0].get(metric) for metric in ("auc", "brier", "rows")},
        "judged_on": " to ".join(judged),
    }
