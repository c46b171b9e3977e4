"""The gate `approval`: people approved the plan."""

from __future__ import annotations

from dataops_platform.kit.errors import preview
from dataops_platform.release.promotion.approvals import CheckedApproval, approvals, same_person
from dataops_platform.release.promotion.gates.question import Question, answer
from dataops_platform.release.promotion.plan import Answer
from dataops_platform.settings.environments import ANYONE, ApprovalGate, people_of

NAME = "approval"


def approval(question: Question, settings: ApprovalGate) -> Answer:
    """Pass if enough of the named people approved the plan.

    With `four_eyes` approvals by the builder of the release and by the person who promotes it do not count.
    """
    given = approvals(question.project, question.lake, question.project.environment, question.plan)
    people = people_of(settings.by, question.project.settings.roles)
    problems = [(one, _why_not(one, question, settings, people)) for one in given]
    counted: dict[str, CheckedApproval] = {}
    for one, problem in problems:
        if not problem and not any(same_person(one.by, other) for other in counted):
            counted[one.by] = one
    refused = [f"{one.by}: {problem}" for one, problem in problems if problem]
    message = f"{len(counted)} of {settings.count} by {preview(settings.by)}"
    message += f": {preview(counted.values(), width=80)}" if counted else ""
    message += f"; does not count: {preview(refused, width=100)}" if refused else ""
    return answer(
        NAME,
        len(counted) >= settings.count,
        message,
        needed=settings.count,
        by=list(settings.by),
        counted=[_plain(one) for one in counted.values()],
        not_counted=[{**_plain(one), "problem": problem} for one, problem in problems if problem],
    )


def _why_not(one: CheckedApproval, question: Question, settings: ApprovalGate, people: set[str]) -> str:
    if one.problem:
        return one.problem
    if settings.signed and not one.is_signed:
        return "not signed"
    if not people & {one.by, ANYONE}:
        return f"not among {preview(settings.by)}"
    if settings.four_eyes:
        if same_person(one.by, question.release.built_by):
            return "built the release"
        if same_person(one.by, question.asked_by):
            return "promotes it"
    return ""


def _plain(one: CheckedApproval) -> dict[str, object]:
    return {"by": one.by, "at": one.at, "why": one.why, "signed": one.is_signed}
