"""Makes a plan of a promotion, and carries one out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dataops_platform.kit.clock import Clock, utc_now
from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly, preview
from dataops_platform.manifests.events import Refusal
from dataops_platform.release.pinned_code.pin import pin
from dataops_platform.release.promotion.differences.sections import differences
from dataops_platform.release.promotion.gates.ask import ask_all
from dataops_platform.release.promotion.gates.question import Question
from dataops_platform.release.promotion.plan import PLAN, Answer, Plan, told
from dataops_platform.release.promotion.preflight import prepare
from dataops_platform.release.promotion.switch import switch_to_release
from dataops_platform.release.release import Release, find_release
from dataops_platform.settings.environ import actor
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.heads import heads_of_cut
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State


def release_for(project: Project, lake: Lake, wanted: str = "") -> Release:
    """The release that `wanted` names; else the one that the environment before shows, or the newest built there.

    Raises: UsedWrongly DP-L003, DP-L070, DP-L073, DP-L071 for none, DP-L014 for an environment that takes no releases.
    """
    origin = project.here.from_
    if origin is None:
        raise UsedWrongly("DP-L014", environment=project.environment, known=preview(_takers(project)) or "none")
    if not wanted and project.settings_of(origin).from_ is not None:
        wanted = lake.state(origin).release
        if not wanted:
            raise UsedWrongly("DP-L071", environment=origin)
    return find_release(lake, wanted, "" if wanted else origin)


def _takers(project: Project) -> list[str]:
    return [name for name, settings in project.settings.environments.items() if settings.from_ is not None]


def unreleased(project: Project, lake: Lake, release: str) -> str:
    """That the environment where a release was built shows something else since, in words; empty where it does not."""
    found = find_release(lake, release)
    if lake.state(found.built_in).cut.id == found.cut.id:
        return ""
    return f"; {found.built_in} shows what no release has yet, or an older one: dataops release build"


def propose(project: Project, lake: Lake, release: Release, clock: Clock = utc_now) -> Plan:
    """The plan of moving the project's environment to a release. It is kept in the lake, and changes nothing else."""
    state = lake.state(project.environment)
    plan = Plan(
        environment=project.environment,
        release=release.id,
        pointer=state.pointer,
        gates=gates_of(project),
        before=state.release,
        answers=(),
        differences={},
        made_by=actor(),
        made_at=clock().isoformat(),
    )
    question = question_of(project, lake, release, state, plan, clock)
    earlier = lake.kept(PLAN).get(plan.id)
    found = differences(question, earlier and earlier["differences"])
    plan = replace(plan, answers=ask_all(question, project.here.gates), differences=found)
    lake.keep(PLAN, plan.id, plan.to_plain())
    return plan


def find_plan(lake: Lake, wanted: str) -> Plan:
    """The plan whose id begins with `wanted`. Raises: UsedWrongly DP-L015 for none, DP-L080 for several."""
    known = lake.kept(PLAN)
    found = [name for name in known if name.removeprefix("sha256:").startswith(wanted.removeprefix("sha256:"))]
    if not found or not wanted:
        raise UsedWrongly("DP-L015", wanted=wanted)
    if len(found) > 1:
        raise UsedWrongly("DP-L080", wanted=wanted)
    return Plan.from_plain(known[found[0]])


def promote(project: Project, lake: Lake, plan: Plan, clock: Clock = utc_now) -> State:
    """Carries out just this plan: asks again what may have changed, prepares all that can fail, then switches.

    Rows are not read again: the time it takes does not depend on them.

    Raises: UsedWrongly DP-L017 for a plan of another environment than the project's; Refused DP-G001 when a gate says
    no, and what `pin` and `prepare` raise; LostRace DP-L010 when the environment was pointed elsewhere since, also
    while the gates were asked, DP-G002 when `dataops.yaml` has other gates since.
    """
    if plan.environment != project.environment:
        raise UsedWrongly("DP-L017", plan=plan, planned=plan.environment, environment=project.environment)
    if list(plan.gates) != gates_of(project):
        raise LostRace("DP-G002", environment=plan.environment, plan=plan)
    state, release = lake.state(plan.environment), find_release(lake, plan.release)
    known = {answer.gate: answer for answer in plan.answers}
    question = question_of(project, lake, release, state, plan, clock)
    answers = ask_all(question, project.here.gates, known)
    no = [answer for answer in answers if answer.verdict == "fail"]
    if no and _note_refusal(lake, plan, answers):
        raise Refused(
            "DP-G001",
            failed=preview((f"{a.gate}: {a.said}" for a in no), width=200),
            plan=plan,
            release=release,
            environment=plan.environment,
        )
    if not no and state.pointer == plan.pointer:
        pin(project, release)
        prepare(project, lake, release.cut)
    return switch_to_release(lake, replace(plan, answers=answers), release)


def _note_refusal(lake: Lake, plan: Plan, answers: Sequence[Answer]) -> bool:
    """Writes in the ledger that gates said no; not to a plan that the world has moved past: their no is of that."""
    event = Refusal(actor=actor(), plan=plan.id, refused=plan.release, gates=told(answers))
    state = lake.note(plan.environment, lambda now: event if now.pointer == plan.pointer else None)
    return state.pointer == plan.pointer


def gates_of(project: Project) -> list[dict[str, Any]]:
    """The gates of an environment as a plan keeps them."""
    return [gate.model_dump(mode="json", exclude_unset=True) for gate in project.here.gates]


def question_of(
    project: Project, lake: Lake, release: Release, state: State, plan: Plan, clock: Clock = utc_now
) -> Question:
    """What the gates of a plan are asked."""
    return Question(
        project=project,
        lake=lake,
        release=release,
        state=state,
        heads=heads_of_cut(lake.connection, release.cut),
        shown=heads_of_cut(lake.connection, state.cut),
        plan=plan.id,
        asked_by=actor(),
        now=clock(),
    )
