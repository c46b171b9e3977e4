"""Branch environments: short-lived copies of what another environment shows, which leave that one unchanged."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import Any

from dataops_platform.kit.actor import Actor
from dataops_platform.kit.digests import canonical_json
from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.kit.text_file import write_text
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Creation, Drop, by
from dataops_platform.orchestration.instance import forget_assets
from dataops_platform.release.environments.inherited import made_from
from dataops_platform.settings.environ import checked_environment
from dataops_platform.settings.project import BRANCHES, FILE_NAME, Project, branch_file, known_environment
from dataops_platform.warehouse.drop import drop_environment
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State

ATTEMPTS = 20


@dataclass(frozen=True)
class Dropped:
    """The result of dropping a branch environment. `models` is `none`, `removed`, or why they stay in the registry."""

    environment: str
    was_there: bool
    models: str


def create_branch(session: Session, name: str, origin: str) -> tuple[State, bool]:
    """Create an environment that shows what `origin` shows. Return its state, and whether this call created it.

    Nothing is copied: the environment reads the origin's versions until it builds its own. It is not guarded, so any
    code may run there. An existing branch of the same origin stays as it is; this checkout then knows it, too.
    Raises: UsedWrongly DP-P006 for an invalid name, DP-P004 for an unknown origin, DP-P020 for the origin's own name or
    that of an environment in `dataops.yaml`; Refused DP-P021 when the origin shows nothing, DP-P022 when the branch
    exists with another origin; LostRace when every attempt was overtaken.
    """
    project, lake = session.project, session.lake
    if checked_environment(name) in project.settings.environments or name == origin:
        raise UsedWrongly("DP-P020", name=name)
    known_environment(origin, project.settings, project.state_dir)

    def attempt() -> tuple[State, bool]:
        before, source = lake.state(name), lake.state(origin)
        made = _creation(lake, before)
        if made is not None and made.origin != origin:
            raise Refused("DP-P022", name=name, origin=made.origin, actor=made.actor, at=made.at[:19])
        if made is not None:
            return before, False
        if not source.cut.members:
            raise Refused("DP-P021", environment=origin)
        cut = _placed(source.cut, made_from(lake, source.cut, origin), origin)
        return lake.switch(name, cut, before, _event(session.actor, source, origin), "creation"), True

    state, is_new = lake.retried(attempt, ATTEMPTS)
    write_text(branch_file(project.state_dir, name), canonical_json({"from": origin}) + "\n")
    return state, is_new


def drop_branch(session: Session, name: str) -> Dropped:
    """Delete a branch environment: its tables, views, models, and assets in Dagster. Its ledger stays and records it.

    A drop that was killed is completed by the next call. Models that another environment shows are not deleted.
    Raises: UsedWrongly DP-P023 for an environment of `dataops.yaml`, DP-P004 for an unknown one; LostRace when every
    attempt was overtaken.
    """
    project, lake = session.project, session.lake
    if name in project.settings.environments:
        raise UsedWrongly("DP-P023", name=name, file=FILE_NAME)
    if _creation(lake, lake.state(name)) is None:
        known_environment(name, project.settings, project.state_dir)
    models = _drop_models(project, lake, name)
    was_there = _drop_tables(lake, name, session.actor)
    forget_assets(project, name)
    shutil.rmtree(project.state_dir / "dbt" / name, ignore_errors=True)
    branch_file(project.state_dir, name).unlink(missing_ok=True)
    return Dropped(name, was_there, models)


def environments(project: Project, lake: Lake) -> list[dict[str, Any]]:
    """Return a record for each environment, those of `dataops.yaml` first: its kind, its origin, and what it shows."""
    listed = list(project.settings.environments)
    here = sorted(path.name for path in (project.state_dir / BRANCHES).glob("*"))
    branches = sorted({*here, *(name for name in lake.environments() if _creation(lake, lake.state(name)))})
    rows = []
    for name in [*listed, *(name for name in branches if name not in listed)]:
        state, settings = lake.state(name), project.settings_of(name)
        creation = _creation(lake, state) if name not in listed else None
        rows.append(
            {
                "environment": name,
                "kind": "branch" if name not in listed else "guarded" if settings.from_ else "open",
                "from": creation.origin if creation else settings.from_ or "",
                "schedule": settings.schedule or "",
                "release": state.release,
                "publication": state.publication,
                "held": state.held,
                "known_here": name in listed or name in here,
            }
        )
    return rows


def _creation(lake: Lake, state: State) -> Creation | None:
    """Return the event that created an environment from another; None for other and for dropped environments."""
    made = [e for e in lake.events(state.environment) if isinstance(e, Creation | Drop)] if state.sequence else []
    last = made[-1] if made else None
    return last if isinstance(last, Creation) and last.origin else None


def _placed(cut: Cut, under: Cut, environment: str) -> Cut:
    """Return a cut whose members name their build areas, with the members of `under` as its inputs."""
    return Cut(tuple(replace(m, area=m.area or environment) for m in cut.members), under.members)


def _event(actor: Actor, source: State, origin: str) -> Creation:
    return Creation(**by(actor), origin=origin, origin_event=source.sequence, release=source.release, code=source.code)


def _drop_tables(lake: Lake, name: str, actor: Actor) -> bool:
    def attempt() -> bool:
        state = lake.state(name)
        if not state.sequence or _is_dropped(lake, state):
            return False
        drop_environment(lake, state, Drop(**by(actor)))
        return True

    return lake.retried(attempt, ATTEMPTS)


def _is_dropped(lake: Lake, state: State) -> bool:
    return any(isinstance(e, Drop) for e in lake.events(state.environment) if e.sequence == state.pointer)


def _drop_models(project: Project, lake: Lake, name: str) -> str:
    """Delete the models trained in an environment, unless another one shows any of them. Return the outcome."""
    if not any(head.kind == "model" and head.area == name for head in lake.heads(name).values()):
        return "none"
    others = [other for other in lake.environments() if other != name]
    named = [o for o in others for m in lake.state(o).cut.members if m.kind == "model" and m.area == name]
    if named:
        return f"left in the registry: {named[0]} shows one"
    from dataops_platform.technologies.mlflow.tracking import open_tracking
    from dataops_platform.technologies.mlflow.versions import forget_models

    forget_models(open_tracking(project).client, project.name, name)
    return "removed"
