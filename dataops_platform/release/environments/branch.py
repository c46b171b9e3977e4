"""Branch environments: short-lived, made from what another environment shows, and gone without a trace in that one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import Any

from dataops_platform.kit.digests import canonical_json
from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly
from dataops_platform.kit.text_file import write_text
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Creation, Drop
from dataops_platform.orchestration.instance import forget_assets
from dataops_platform.release.environments.inherited import made_from
from dataops_platform.settings.environ import actor, checked_environment
from dataops_platform.settings.project import BRANCHES, FILE_NAME, Project, branch_file, known_environment
from dataops_platform.warehouse.drop import drop_environment
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State

ATTEMPTS = 20


@dataclass(frozen=True)
class Dropped:
    """What became of a branch environment. `models`: `none`, `removed`, or why they were left in the registry."""

    environment: str
    was_there: bool
    models: str


def create_branch(project: Project, lake: Lake, name: str, origin: str) -> tuple[State, bool]:
    """An environment that shows what `origin` shows and reads it where it has built nothing itself.

    Nothing is copied. It is not guarded: any code may run there. Gives its state, and whether this call made it; one
    that was made from the same origin is left as it is, and known from here afterwards.
    Raises: UsedWrongly DP-P006 for a name that cannot be, DP-P004 for an origin that there is not, DP-P020 for an
    environment of `dataops.yaml`; Refused DP-P021 when the origin shows nothing, DP-P022 when there is one made from
    another origin.
    """
    if checked_environment(name) in project.settings.environments or name == origin:
        raise UsedWrongly("DP-P020", name=name)
    known_environment(origin, project.settings, project.state_dir)
    for attempt in range(ATTEMPTS):
        before, source = lake.state(name), lake.state(origin)
        made = _creation(lake, before)
        if made is not None:
            if made.origin != origin:
                raise Refused("DP-P022", name=name, origin=made.origin, actor=made.actor, at=made.at[:19])
            _register(project, name, origin)
            return before, False
        if not source.cut.members:
            raise Refused("DP-P021", environment=origin)
        try:
            under = made_from(lake, source.cut, origin)
            state = lake.switch(name, _placed(source.cut, under, origin), before, _event(source, origin), "creation")
        except LostRace:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        _register(project, name, origin)
        return state, True
    raise AssertionError("unreachable")


def drop_branch(project: Project, lake: Lake, name: str) -> Dropped:
    """Removes a branch environment: its tables, views, models, and assets in Dagster. Its ledger stays, and says so.

    Can be called again after it died on the way. Raises: UsedWrongly DP-P023 for an environment of `dataops.yaml`,
    DP-P004 for one that there is not.
    """
    if name in project.settings.environments:
        raise UsedWrongly("DP-P023", name=name, file=FILE_NAME)
    if _creation(lake, lake.state(name)) is None:
        known_environment(name, project.settings, project.state_dir)
    models = _drop_models(project, lake, name)
    was_there = _drop_tables(lake, name)
    forget_assets(project, name)
    shutil.rmtree(project.state_dir / "dbt" / name, ignore_errors=True)
    branch_file(project.state_dir, name).unlink(missing_ok=True)
    return Dropped(name, was_there, models)


def environments(project: Project, lake: Lake) -> list[dict[str, Any]]:
    """All environments, those of `dataops.yaml` first: what they are made for, and what they show."""
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
    """The event that made an environment from another; None for one that was not, or was dropped since."""
    made = [e for e in lake.events(state.environment) if isinstance(e, Creation | Drop)] if state.sequence else []
    last = made[-1] if made else None
    return last if isinstance(last, Creation) and last.origin else None


def _placed(cut: Cut, under: Cut, environment: str) -> Cut:
    """A cut that says of each member in whose build area it lies, with what its members were made from."""
    return Cut(tuple(replace(m, area=m.area or environment) for m in cut.members), under.members)


def _event(source: State, origin: str) -> Creation:
    return Creation(
        actor=actor(), origin=origin, origin_event=source.sequence, release=source.release, code=source.code
    )


def _register(project: Project, name: str, origin: str) -> None:
    write_text(branch_file(project.state_dir, name), canonical_json({"from": origin}) + "\n")


def _drop_tables(lake: Lake, name: str) -> bool:
    for attempt in range(ATTEMPTS):
        state = lake.state(name)
        if not state.sequence or _is_dropped(lake, state):
            return False
        try:
            drop_environment(lake, state, Drop(actor=actor()))
        except LostRace:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        return True
    raise AssertionError("unreachable")


def _is_dropped(lake: Lake, state: State) -> bool:
    return any(isinstance(e, Drop) for e in lake.events(state.environment) if e.sequence == state.pointer)


def _drop_models(project: Project, lake: Lake, name: str) -> str:
    """Removes the models that were trained in an environment, unless another one shows any of them."""
    if not any(head.kind == "model" and head.area == name for head in lake.heads(name).values()):
        return "none"
    others = [other for other in lake.environments() if other != name]
    named = [o for o in others for m in lake.state(o).cut.members if m.kind == "model" and m.area == name]
    if named:
        return f"left in the registry: {named[0]} shows one"
    from dataops_platform.technologies.mlflow.tracking import open_tracking
    from dataops_platform.technologies.mlflow.versions import forget_environment

    forget_environment(open_tracking(project).client, project.name, name)
    return "removed"
