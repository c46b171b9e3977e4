"""What environments wait for, as lines of the board: a promotion, an approval and by whom, a gate, a resume."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dataops_platform.kit.clock import ago
from dataops_platform.release.promotion.approvals import approvals
from dataops_platform.release.promotion.plan import PLAN, Plan
from dataops_platform.release.release import releases_of
from dataops_platform.settings.project import Project
from dataops_platform.status.board import BoardLine
from dataops_platform.warehouse import documents
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State

STAGE = "release"


def with_releases(session: Session | None, lines: Sequence[BoardLine]) -> list[BoardLine]:
    """Return the board's lines, with those of releases from the lake: Dagster knows only of its own.

    `session` is None before the first run.
    """
    others = [line for line in lines if line.stage != STAGE]
    return [*others, *release_lines(session)] if session else others


def release_lines(session: Session) -> list[BoardLine]:
    """Return a line for each environment that takes or provides releases, in the order of `dataops.yaml`."""
    project, lake, now = session.project, session.lake, session.now()
    plans = [Plan.from_plain(plain) for plain in documents.read(lake.connection, PLAN).values()]
    environments = project.settings.environments
    givers = {settings.from_ for settings in environments.values()}
    states = {
        name: _taken(project.at(name), lake, plans, now) if settings.from_ else _built(name, lake, now)
        for name, settings in environments.items()
        if settings.from_ or name in givers
    }
    return [BoardLine(STAGE, f"{name}/release", state, None, None) for name, state in states.items()]


def _built(environment: str, lake: Lake, now: datetime) -> str:
    """Return the state of releases in an environment that takes none from another."""
    shown = lake.state(environment).cut
    built = [release for release in releases_of(lake) if release.built_in == environment]
    if not shown.members:
        return "AWAITING its first publication"
    if not built or built[-1].cut.id != shown.id:
        return "AWAITING release build"
    return f"SUCCEEDED {ago(datetime.fromisoformat(built[-1].built_at), now)} AGO"


def _taken(project: Project, lake: Lake, plans: list[Plan], now: datetime) -> str:
    state = lake.state(project.environment)
    if state.held:
        return "AWAITING resume after a rollback"
    asked = [p for p in plans if p.environment == project.environment and p.pointer == state.pointer]
    plan = max(asked, key=lambda plan: plan.made_at, default=None)
    if plan is not None and plan.release != state.release:
        return f"AWAITING {_awaited(project, lake, plan)}"
    if not state.release:
        return f"AWAITING a release from {project.here.from_}"
    return f"SUCCEEDED {ago(_promoted_at(lake, state), now)} AGO"


def _awaited(project: Project, lake: Lake, plan: Plan) -> str:
    no = [answer.gate for answer in plan.answers if answer.verdict == "fail"]
    others = [gate for gate in no if gate != "approval"]
    if others:
        return f"gate {', '.join(others)}"
    given = any(not one.problem for one in approvals(project, lake, plan.environment, plan.id))
    if no and not given:
        return f"approval by {', '.join(_approvers(plan)) or 'anyone'} of plan {plan}"
    return f"promotion of plan {plan}"


def _approvers(plan: Plan) -> list[str]:
    by: list[str] = []
    for gate in plan.gates:
        settings: Any = gate.get("approval")
        if isinstance(settings, dict):
            by += settings.get("by", [])
    return [name.removeprefix("role:") for name in by]


def _promoted_at(lake: Lake, state: State) -> datetime:
    at = next(event.at for event in lake.events(state.environment) if event.sequence == state.pointer)
    return datetime.fromisoformat(at)
