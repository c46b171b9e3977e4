"""Model releases: what an environment shows, with one model replaced by a candidate that was trained there since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import LostRace, Refused, SystemFailed, UsedWrongly, did_you_mean
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.manifest import Head
from dataops_platform.orchestration.launch import Progress, launch
from dataops_platform.release.build import freeze, refuse_other_makers
from dataops_platform.release.release import Release
from dataops_platform.settings.project import Project
from dataops_platform.stages.guard import refuse_other_code
from dataops_platform.stages.publish.run import refuse_stale
from dataops_platform.technologies.mlflow.registry import resolve_version, version_files
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.sklearn.artefact import refuse_other_files
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State, candidate_area

if TYPE_CHECKING:
    from dagster import DagsterInstance, Definitions

ATTEMPTS = 3
SCORE = "score"


@dataclass(frozen=True)
class Runtime:
    """What runs a project's steps: its definitions and the Dagster instance. `watch` receives the progress."""

    defs: Definitions
    instance: DagsterInstance
    watch: Callable[[Progress], None] = lambda _: None


def build_model_release(session: Session, code: Runtime, wanted: str) -> Release:
    """Build a release of what the environment shows, with one model and its predictions replaced.

    `wanted` is `<model>@<version or alias>` of the environment's registered model: `delay@7`, `delay@challenger`.
    Raises: what `candidate_cut`, `refuse_other_makers` and `freeze` raise.
    """
    _, cut = candidate_cut(session.project, session.lake, code, wanted)
    refuse_other_makers(session.lake, cut, code.defs, session.environment)
    return freeze(session, cut)


def candidate_cut(project: Project, lake: Lake, code: Runtime, wanted: str) -> tuple[Head, Cut]:
    """Return the candidate and the cut that shows it. A Dagster run scores it; steps that are up to date are skipped.

    If the environment publishes meanwhile, the cut is made again for what it then shows.
    Raises: what `refuse_other_code`, `find_candidate` and `refuse_stale` raise; Refused DP-M018 when the candidate
    cannot be scored, SystemFailed DP-M024 when its run fails, LostRace DP-M017 when every attempt was overtaken.
    """
    for _ in range(ATTEMPTS):
        state = lake.state(project.environment)
        refuse_other_code(project, state)
        candidate = find_candidate(project, lake, state, wanted)
        scored = _score(project, lake, code, state, candidate)
        if lake.state(project.environment).publication == state.publication:
            shown = lake.shown_heads(project.environment)
            heads = {**shown, candidate.name: candidate, **scored}
            models = [name for name, head in heads.items() if head.kind == "model"]
            refuse_stale(lake, heads, heads, project.environment, models)
            return candidate, lake.cut_of(heads.values())
    raise LostRace("DP-M017", environment=project.environment, times=ATTEMPTS, model=wanted)


def find_candidate(project: Project, lake: Lake, state: State, wanted: str) -> Head:
    """Return the head of the model called `<model>@<version or alias>`, whose files are verified.

    Raises: UsedWrongly DP-M023 for another text, DP-M012 for a model that is not shown, DP-M013 for an unknown version
    or alias; Refused DP-M014 for a version that is not the last one trained here, DP-M022 for the shown one; what
    `refuse_other_files` raises.
    """
    environment = project.environment
    model, at, called = wanted.partition("@")
    if not (model and at and called):
        raise UsedWrongly("DP-M023", wanted=wanted)
    shown = {m.name: m for m in state.cut.members if m.kind == "model"}
    if model not in shown:
        raise UsedWrongly("DP-M012", environment=environment, model=model, hint=did_you_mean(model, shown))
    client, name = open_tracking(project).client, model_name(project, model)
    version = resolve_version(client, name, called)
    head = lake.heads(environment).get(model)
    if head is None or (head.area or environment, head.version) != (environment, version):
        last = head.version if head and head.area == environment else "none"
        raise Refused("DP-M014", version=version, model=name, environment=environment, last=last, name=model)
    if head.digest == shown[model].digest:
        raise Refused("DP-M022", environment=environment, version=version, digest=short(head.digest))
    refuse_other_files(version_files(client, name, version), head.digest)
    return head


def _score(project: Project, lake: Lake, code: Runtime, state: State, candidate: Head) -> Mapping[str, Head]:
    """Return the heads of the candidate's predictions by name, for each shown table of predictions of its model."""
    shown = {member.name for member in state.cut.members}
    specs = {spec.key.path[-1]: spec for spec in code.defs.resolve_all_asset_specs()}
    select = [
        name
        for name, spec in specs.items()
        if spec.group_name == SCORE and name in shown and candidate.name in {d.asset_key.path[-1] for d in spec.deps}
    ]
    if not select:
        return {}
    result = launch(
        project,
        code.defs,
        code.instance,
        select=select,
        candidates={candidate.name: candidate.digest},
        watch=code.watch,
    )
    if not result.success:
        message = "; ".join(f"{failed.step}: {failed.message}" for failed in result.failures)
        if all(failed.exit_code == Refused.exit_code for failed in result.failures):
            raise Refused("DP-M018", model=candidate.name, reason=message, run=result.run_id[:8])
        raise SystemFailed("DP-M024", model=candidate.name, reason=message, run=result.run_id[:8])
    lane = lake.heads(candidate_area(project.environment))
    return {name: lane[name] for name in select}
