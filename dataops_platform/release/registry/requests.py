"""Requests in MLflow's pages: the alias `candidate` or the tag `dataops.request` requests a promotion.

A request takes the way of every promotion: a release, a plan, the gates, one switch. The answer is written on the
version as tags and a note. A request is answered once. One that waits for an approval is evaluated again after each new
event of its environment. Remove the tag `dataops.answered` to request the same again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import DataOpsError, LostRace, Refused, UsedWrongly, did_you_mean
from dataops_platform.release.build import build_release
from dataops_platform.release.promotion.plan import Plan
from dataops_platform.release.promotion.promote import promote, propose
from dataops_platform.release.reconciliation.reconcile import follow_switch
from dataops_platform.release.registry.model_release import Runtime, build_model_release
from dataops_platform.release.registry.model_validation import followers, newest_with
from dataops_platform.release.release import Release
from dataops_platform.settings.project import Project, checkout_of
from dataops_platform.technologies.mlflow.notes import AnnotatedVersion, annotated_versions, write_note
from dataops_platform.technologies.mlflow.registry import DIGEST_TAG
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.mlflow.versions import REQUEST_TAG
from dataops_platform.warehouse.process_lock import alone
from dataops_platform.warehouse.session import Session

ALIAS = "candidate"
ANSWER_TAG, PLAN_TAG, ANSWERED_TAG, SINCE_TAG = (
    "dataops.answer",
    "dataops.plan",
    "dataops.answered",
    "dataops.answered_at",
)
"""Tags of an answer: the verdict, the plan, the request, and the last event of the environment at that time."""

RequestVerdict = Literal["promoted", "waiting", "refused"]


@dataclass(frozen=True)
class Request:
    """A request on a version. `asked` is the tag's value, `promote:<environment>`, or `candidate` for the alias."""

    marked: AnnotatedVersion
    asked: str


@dataclass(frozen=True)
class Answered:
    """A request and its answer: the verdict, the id of the plan (empty when none could be made), and the reasons."""

    version: str
    asked: str
    verdict: RequestVerdict
    plan: str
    messages: tuple[str, ...]


def open_requests(session: Session) -> list[Request]:
    """Return the requests on models of the session's environment without a final answer.

    A waiting request is left out until its target environment has a new event.
    """
    project = session.project
    marked = annotated_versions(open_tracking(project).client, model_name(project, ""))
    asked = [Request(one, wish) for one in marked if (wish := _asked(one))]
    return [request for request in asked if _is_open(session, request)]


def answer_requests(session: Session, code: Callable[[], Runtime]) -> list[Answered]:
    """Answer all open requests on models of the session's environment, and promote those whose gates pass.

    `code` is called only when a release must be built. A request that lost a race stays open.
    """
    answered = []
    with alone(session.project, session.lake, "registry"):
        for request in open_requests(session):
            try:
                answered.append(_answer(session, code, request))
            except LostRace:
                continue
    return answered


def _asked(marked: AnnotatedVersion) -> str:
    return marked.tags.get(REQUEST_TAG) or (ALIAS if ALIAS in marked.aliases else "")


def _is_open(session: Session, request: Request) -> bool:
    tags = request.marked.tags
    if tags.get(ANSWERED_TAG) != request.asked:
        return True
    if tags.get(ANSWER_TAG) != "waiting":
        return False
    return tags.get(SINCE_TAG) != str(session.lake.state(_target(session.project, request).environment).sequence)


def _answer(session: Session, code: Callable[[], Runtime], request: Request) -> Answered:
    plan, at = "", ""
    verdict: RequestVerdict = "refused"
    try:
        there = session.of(_target(session.project, request))
        release = _release(session, code, request)
        made = propose(there, release)
        plan, verdict, messages = made.id, *_carry_out(there, made, release)
        at = str(session.lake.state(there.environment).sequence)
    except LostRace:
        raise
    except DataOpsError as error:
        messages = (str(error),)
    tags = {ANSWER_TAG: verdict, PLAN_TAG: short(plan), SINCE_TAG: at, ANSWERED_TAG: request.asked}
    note = "\n".join([verdict, *(f"- {line}" for line in messages)])
    write_note(open_tracking(session.project).client, request.marked, tags, request.asked, note)
    return Answered(str(request.marked), request.asked, verdict, plan, tuple(messages))


def _target(project: Project, request: Request) -> Project:
    """Return the project in the environment that a request is for.

    Raises: UsedWrongly DP-L030 for a request that cannot be carried out, DP-L031 for an alias when not exactly one
    environment takes releases.
    """
    if request.asked == ALIAS:
        takers = [checkout_of(project)] if project.is_guarded else followers(project)
        if len(takers) == 1:
            return takers[0]
        raise UsedWrongly("DP-L031", count=len(takers), environment=project.environment, tag=REQUEST_TAG)
    verb, _, environment = request.asked.partition(":")
    asked = checkout_of(project)
    guarded = [name for name, settings in asked.settings.environments.items() if settings.from_ is not None]
    if verb != "promote" or environment not in guarded:
        raise UsedWrongly("DP-L030", asked=request.asked, hint=did_you_mean(environment, guarded), tag=REQUEST_TAG)
    return asked.at(environment)


def _release(session: Session, code: Callable[[], Runtime], request: Request) -> Release:
    """Return the environment's newest release if it has the model; else build one of what it shows with the model."""
    project, lake, marked = session.project, session.lake, request.marked
    model, digest = marked.name.removeprefix(model_name(project, "")), marked.tags.get(DIGEST_TAG, "")
    newest = newest_with(lake, project.environment, model, digest)
    if newest is not None:
        return newest
    shown = lake.state(project.environment).cut.member(model)
    if shown is not None and shown.digest == digest:
        return build_release(session, code().defs)
    return build_model_release(session, code(), f"{model}@{marked.version}")


def _carry_out(session: Session, plan: Plan, release: Release) -> tuple[RequestVerdict, tuple[str, ...]]:
    """Promote when all gates pass; wait when only approvals are missing. Return the verdict and the reasons."""
    messages = tuple(f"{answer.gate}: {answer.verdict}: {answer.message}" for answer in plan.answers)
    no = {answer.gate for answer in plan.answers if answer.verdict == "fail"}
    if no == {"approval"}:
        return "waiting", (*messages, f"somebody may say yes: dataops approve {plan}")
    try:
        state = promote(session, plan)
    except Refused as refused:
        return "refused", (*messages, str(refused))
    followed = follow_switch(session)
    done = f"{state.environment} shows release {release} (event {state.sequence})"
    return "promoted", (*messages, done, *([followed.failed] if followed.failed else []))
