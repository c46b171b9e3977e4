"""Requests made in MLflow's pages: the alias `candidate`, or the tag `dataops.request`, asks for a promotion.

A request goes the way of every promotion: a release, a plan, the gates, one switch. The answer is written where it was
asked, as tags and a note. A request is answered once; one that waits for an approval is looked at again when something
happened in its environment. To ask once more, take the tag `dataops.answered` away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dataops_platform.kit.clock import Clock, utc_now
from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import DataOpsError, LostRace, Refused, UsedWrongly, did_you_mean
from dataops_platform.release.build import build_release
from dataops_platform.release.promotion.plan import Plan
from dataops_platform.release.promotion.promote import promote, propose
from dataops_platform.release.reconciliation.reconcile import follow_switch
from dataops_platform.release.registry.model_release import Code, build_model_release
from dataops_platform.release.registry.model_validation import as_asked, followers, newest_with
from dataops_platform.release.release import Release
from dataops_platform.settings.project import Project
from dataops_platform.technologies.mlflow.notes import AnnotatedVersion, annotated_versions, write_note
from dataops_platform.technologies.mlflow.registry import DIGEST_TAG
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.mlflow.versions import REQUEST_TAG
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.process_lock import alone

ALIAS = "candidate"
ANSWER_TAG, PLAN_TAG, ANSWERED_TAG, SINCE_TAG = (
    "dataops.answer",
    "dataops.plan",
    "dataops.answered",
    "dataops.answered_at",
)
"""The answer, the plan it is about, the request it answers, and the last event of the environment at that time."""

Verdict = Literal["promoted", "waiting", "refused"]


@dataclass(frozen=True)
class Request:
    """What is asked for at a version: `promote:<environment>` in a tag, or `candidate`, the alias."""

    marked: AnnotatedVersion
    asked: str


@dataclass(frozen=True)
class Answered:
    """A request and its answer: in a word, the plan that it is about (if one could be made), and in words."""

    version: str
    asked: str
    verdict: Verdict
    plan: str
    said: tuple[str, ...]


def open_requests(project: Project, lake: Lake) -> list[Request]:
    """The requests at the models of the project's environment that have no answer yet, or may have another now."""
    marked = annotated_versions(open_tracking(project).client, model_name(project, ""))
    asked = [Request(one, wish) for one in marked if (wish := _asked(one))]
    return [request for request in asked if _is_open(project, lake, request)]


def answer_requests(project: Project, lake: Lake, code: Callable[[], Code], clock: Clock = utc_now) -> list[Answered]:
    """Answers every open request at the models of the project's environment, and carries out what the gates let pass.

    `code` is only asked for what runs the project's steps when a release must be built. A request that lost a race is
    left open.
    """
    answered = []
    with alone(project, lake, "registry"):
        for request in open_requests(project, lake):
            try:
                answered.append(_answer(project, lake, code, request, clock))
            except LostRace:
                continue
    return answered


def _asked(marked: AnnotatedVersion) -> str:
    return marked.tags.get(REQUEST_TAG) or (ALIAS if ALIAS in marked.aliases else "")


def _is_open(project: Project, lake: Lake, request: Request) -> bool:
    tags = request.marked.tags
    if tags.get(ANSWERED_TAG) != request.asked:
        return True
    if tags.get(ANSWER_TAG) != "waiting":
        return False
    return tags.get(SINCE_TAG) != str(lake.state(_target(project, request).environment).sequence)


def _answer(project: Project, lake: Lake, code: Callable[[], Code], request: Request, clock: Clock) -> Answered:
    plan, at = "", ""
    verdict: Verdict = "refused"
    try:
        target = _target(project, request)
        release = _release(project, lake, code, request, target, clock)
        made = propose(target, lake, release, clock)
        plan, verdict, said = made.id, *_carry_out(target, lake, made, release, clock)
        at = str(lake.state(target.environment).sequence)
    except LostRace:
        raise
    except DataOpsError as error:
        said = (str(error),)
    tags = {ANSWER_TAG: verdict, PLAN_TAG: short(plan), SINCE_TAG: at, ANSWERED_TAG: request.asked}
    note = "\n".join([verdict, *(f"- {line}" for line in said)])
    write_note(open_tracking(project).client, request.marked, tags, request.asked, note)
    return Answered(str(request.marked), request.asked, verdict, plan, tuple(said))


def _target(project: Project, request: Request) -> Project:
    """The project in the environment that something is asked for. Raises: UsedWrongly DP-L030, DP-L031."""
    if request.asked == ALIAS:
        takers = [as_asked(project)] if project.is_guarded else followers(project)
        if len(takers) == 1:
            return takers[0]
        raise UsedWrongly("DP-L031", count=len(takers), environment=project.environment, tag=REQUEST_TAG)
    verb, _, environment = request.asked.partition(":")
    asked = as_asked(project)
    guarded = [name for name, settings in asked.settings.environments.items() if settings.from_ is not None]
    if verb != "promote" or environment not in guarded:
        raise UsedWrongly("DP-L030", asked=request.asked, hint=did_you_mean(environment, guarded), tag=REQUEST_TAG)
    return asked.at(environment)


def _release(
    project: Project, lake: Lake, code: Callable[[], Code], request: Request, target: Project, clock: Clock
) -> Release:
    """The environment's newest release if that has this model; else one of what it shows, with the model in it."""
    marked = request.marked
    model, digest = marked.name.removeprefix(model_name(project, "")), marked.tags.get(DIGEST_TAG, "")
    newest = newest_with(lake, project.environment, model, digest)
    if newest is not None:
        return newest
    shown = lake.state(project.environment).cut.member(model)
    if shown is not None and shown.digest == digest:
        return build_release(project, lake, code().defs, clock)
    return build_model_release(project, lake, code(), f"{model}@{marked.version}", clock)


def _carry_out(
    target: Project, lake: Lake, plan: Plan, release: Release, clock: Clock
) -> tuple[Verdict, tuple[str, ...]]:
    """Promotes when every gate lets it pass; waits when only people have not said yes yet."""
    said = tuple(f"{answer.gate}: {answer.verdict}: {answer.said}" for answer in plan.answers)
    no = {answer.gate for answer in plan.answers if answer.verdict == "fail"}
    if no == {"approval"}:
        return "waiting", (*said, f"somebody may say yes: dataops approve {plan}")
    try:
        state = promote(target, lake, plan, clock)
    except Refused as refused:
        return "refused", (*said, str(refused))
    followed = follow_switch(target, lake)
    done = f"{state.environment} shows release {release} (event {state.sequence})"
    return "promoted", (*said, done, *([followed.failed] if followed.failed else []))
