"""Evaluates the gates of an environment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from dataops_platform.contracts.revisions import WAIVERS
from dataops_platform.kit.errors import preview
from dataops_platform.kit.git import uncommitted
from dataops_platform.release.promotion.gates import table_gates
from dataops_platform.release.promotion.gates.approval import approval
from dataops_platform.release.promotion.gates.breaking import no_breaking_change
from dataops_platform.release.promotion.gates.custom_gate import function
from dataops_platform.release.promotion.gates.model import model_not_worse
from dataops_platform.release.promotion.gates.question import GateFunction, Question, answer, waived
from dataops_platform.release.promotion.plan import Answer
from dataops_platform.settings.environments import GateSettings
from dataops_platform.settings.project import FILE_NAME

GATES: Mapping[str, GateFunction] = {
    "contracts": table_gates.contracts,
    "checks": table_gates.checks,
    "no_breaking_change": no_breaking_change,
    "model_not_worse": model_not_worse,
    "freshness": table_gates.freshness,
    "approval": approval,
    "function": function,
}
"""The gates by their names in `dataops.yaml`."""

DECIDING = (FILE_NAME, f"contracts/{WAIVERS}")
"""The files of a project that define its gates, roles and waivers."""

ASKED_AGAIN = frozenset({"approval", "freshness"})
"""Gates whose answer depends on more than the plan. They are evaluated again when the plan is carried out."""


def holds(known: Answer, now: datetime) -> bool:
    """Return whether an answer of a plan still holds: a pass does, and a waived one until the last day of each waiver.

    A failed gate is evaluated again: its cause may have been corrected.
    """
    if known.verdict == "waived":
        return all(date.fromisoformat(waiver["until"]) >= now.date() for waiver in known.evidence["waived"])
    return known.verdict == "pass"


def ask_all(
    question: Question,
    gates: list[GateSettings],
    known: Mapping[str, Answer] | None = None,
    *,
    decides: bool = True,
) -> tuple[Answer, ...]:
    """Return the answer of each gate, after that of the gate `origin`. `known` has answers of the plan by gate.

    With `decides` a promotion may follow, so the files that define gates, roles and waivers must be as committed.
    """
    known = known or {}
    answers = [_as_committed(question, origin(question)) if decides else origin(question)]
    for gate in gates:
        given = known.get(gate.name)
        if given is not None and gate.kind not in ASKED_AGAIN and holds(given, question.now):
            answers.append(given)
        else:
            answers.append(waived(GATES[gate.kind](question, gate.settings), gate.settings, question.now))
    return tuple(answers)


def origin(question: Question) -> Answer:
    """Pass a release of committed code that the environment or its origin built, or that the origin shows."""
    environment, release = question.project.environment, question.release
    wanted = question.project.here.from_
    if release.is_dirty:
        return answer("origin", False, "it was built with changes that are in no commit", commit=release.commit)
    shows = wanted is not None and question.lake.state(wanted).release == release.id
    holds = release.built_in in (wanted, environment) or shows
    message = f"built in {release.built_in} from commit {release.commit[:12]}" + (
        f", shown by {wanted}" if shows else ""
    )
    if not holds:
        message = f"{environment} takes releases that {wanted} shows; promote it to {wanted} first"
    return answer("origin", holds, message, built_in=release.built_in, commit=release.commit, wanted=wanted)


def _as_committed(question: Question, given: Answer) -> Answer:
    """Return a failure if the gates, roles or waivers here are not as committed: only their author has seen them."""
    edited = uncommitted(question.project.root, *DECIDING)
    if given.verdict == "fail" or not edited:
        return given
    message = (
        f"{preview(edited)}: not as committed, and what is decided by it nobody has seen; commit it or take it back"
    )
    return answer(given.gate, False, message, **given.evidence, edited=edited)
