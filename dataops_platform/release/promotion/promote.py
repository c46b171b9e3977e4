"""Makes plans of promotions, and carries them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly, preview
from dataops_platform.manifests.events import Refusal, by
from dataops_platform.release.pinned_code.pin import pin
from dataops_platform.release.promotion.differences.sections import differences
from dataops_platform.release.promotion.gates.ask import ask_all
from dataops_platform.release.promotion.gates.question import Question
from dataops_platform.release.promotion.plan import PLAN, Answer, Plan, gate_answers
from dataops_platform.release.promotion.preflight import prepare
from dataops_platform.release.promotion.switch import switch_to_release
from dataops_platform.release.release import Release, find_release
from dataops_platform.settings.project import Project
from dataops_platform.warehouse import documents
from dataops_platform.warehouse.heads import heads_of_cut
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State


def release_for(session: Session, wanted: str = "") -> Release:
    """Return the release to promote to the session's environment: the one whose id begins with `wanted`.

    By default it is the release that the origin of the environment shows; the newest one built there, when the origin
    takes no releases itself.
    Raises: UsedWrongly DP-L014 for an environment that takes no releases, DP-L071 when the origin shows none; what
    `find_release` raises.
    """
    project, lake = session.project, session.lake
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


def unreleased(session: Session, release: str) -> str:
    """Return a text when the environment that built a release now shows something else; empty when it does not."""
    found = find_release(session.lake, release)
    if session.lake.state(found.built_in).cut.id == found.cut.id:
        return ""
    return f"; {found.built_in} shows what no release has yet, or an older one: dataops release build"


def propose(session: Session, release: Release) -> Plan:
    """Make a plan to move the session's environment to a release. Stores it in the lake, and changes nothing else."""
    project, lake = session.project, session.lake
    state = lake.state(session.environment)
    plan = Plan(
        environment=session.environment,
        release=release.id,
        pointer=state.pointer,
        gates=gates_of(project),
        before=state.release,
        answers=(),
        differences={},
        made_by=session.actor.name,
        made_at=session.now().isoformat(),
    )
    question = question_of(session, release, state, plan)
    earlier = documents.read(lake.connection, PLAN).get(plan.id)
    found = differences(question, earlier and earlier["differences"])
    plan = replace(plan, answers=ask_all(question, project.here.gates), differences=found)
    documents.keep(lake, PLAN, plan.id, plan.to_plain())
    return plan


def find_plan(lake: Lake, wanted: str) -> Plan:
    """Return the plan whose id begins with `wanted`. Raises: UsedWrongly DP-L015 for none, DP-L080 for several."""
    known = documents.read(lake.connection, PLAN)
    found = [name for name in known if name.removeprefix("sha256:").startswith(wanted.removeprefix("sha256:"))]
    if not found or not wanted:
        raise UsedWrongly("DP-L015", wanted=wanted)
    if len(found) > 1:
        raise UsedWrongly("DP-L080", wanted=wanted)
    return Plan.from_plain(known[found[0]])


def promote(session: Session, plan: Plan) -> State:
    """Carry out a plan: evaluate again the gates that may have changed, check all that can fail, then switch.

    Return the state shown. Answers of the plan that still hold are reused, so their rows are not read again. The ledger
    records a refusal by gates. The switch is one transaction in `switch_to_release`.
    Raises: UsedWrongly DP-L017 for a plan of another environment; LostRace DP-G002 when the gates in `dataops.yaml`
    changed since the plan; Refused DP-G001 when a gate fails; what `pin`, `prepare` and `switch_to_release` raise.
    """
    project, lake = session.project, session.lake
    if plan.environment != project.environment:
        raise UsedWrongly("DP-L017", plan=plan, planned=plan.environment, environment=project.environment)
    if list(plan.gates) != gates_of(project):
        raise LostRace("DP-G002", environment=plan.environment, plan=plan)
    state, release = lake.state(plan.environment), find_release(lake, plan.release)
    known = {answer.gate: answer for answer in plan.answers}
    question = question_of(session, release, state, plan)
    answers = ask_all(question, project.here.gates, known)
    no = [answer for answer in answers if answer.verdict == "fail"]
    if no and _note_refusal(session, plan, answers):
        raise Refused(
            "DP-G001",
            failed=preview((f"{a.gate}: {a.message}" for a in no), width=200),
            plan=plan,
            release=release,
            environment=plan.environment,
        )
    # a stale plan goes straight to the switch, which reports who came first
    if not no and state.pointer == plan.pointer:
        pin(project, release)
        prepare(project, lake, release.cut)
    return switch_to_release(session, replace(plan, answers=answers), release)


def _note_refusal(session: Session, plan: Plan, answers: Sequence[Answer]) -> bool:
    """Record in the ledger that gates refused a plan, and return whether the plan is current.

    The refusal of a stale plan is not recorded: the gates may have failed because of what changed.
    """
    event = Refusal(**by(session.actor), plan=plan.id, refused=plan.release, gates=gate_answers(answers))
    state = session.lake.note(plan.environment, lambda now: event if now.pointer == plan.pointer else None)
    return state.pointer == plan.pointer


def gates_of(project: Project) -> list[dict[str, Any]]:
    """Return the gates of the project's environment as a plan stores them."""
    return [gate.model_dump(mode="json", exclude_unset=True) for gate in project.here.gates]


def question_of(session: Session, release: Release, state: State, plan: Plan) -> Question:
    """Return the question that the gates of a plan answer."""
    return Question(
        project=session.project,
        lake=session.lake,
        release=release,
        state=state,
        heads=heads_of_cut(session.lake.connection, release.cut),
        shown=heads_of_cut(session.lake.connection, state.cut),
        plan=plan.id,
        asked_by=session.actor.name,
        now=session.now(),
    )
