"""The Dagster component of releases."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from dataops_platform.kit.errors import DataOpsError, UsedWrongly
from dataops_platform.orchestration.definitions import load_definitions
from dataops_platform.release.build import build_release
from dataops_platform.release.checks import gate_results, gate_specs
from dataops_platform.release.jobs import move_jobs
from dataops_platform.release.metadata import plan_metadata, release_metadata, state_metadata
from dataops_platform.release.pinned_code.pin import pinned_commit
from dataops_platform.release.promotion.promote import propose, release_for
from dataops_platform.release.registry.sensors import registry_defs
from dataops_platform.release.release import find_release
from dataops_platform.release.sensors import reconcile_sensor
from dataops_platform.settings.environ import actor_of_run
from dataops_platform.settings.project import Project, checkout_of, load_project
from dataops_platform.stages.component import Result, StrictResolved, failure_of
from dataops_platform.stages.publish.run import PUBLICATION
from dataops_platform.stages.scaffold import scaffolder
from dataops_platform.warehouse.session import open_session

NAME = "release"

EXAMPLE = """\
  # Asset <environment>/release. In dev, materializing it builds a release of what dev shows. In an environment with
  # `from` in dataops.yaml it plans a promotion: what would change, and each gate as a check; the jobs promote_to_…,
  # rollback_… and resume_… are there, too.
  description: One name for code, data, models and contracts.
  look_every_s: 60                   # how often the sensors look
"""


@dg.scaffold_with(scaffolder(EXAMPLE))
class ReleaseComponent(dg.Component, StrictResolved):
    """Names what an environment shows as one release, plans promotions, and adds jobs to promote and roll back."""

    description: str = ""
    """What the release is, for people."""
    look_every_s: int = 60
    """Seconds between two evaluations of the sensors that watch the ledger and the model registry."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the asset `<environment>/release`, its sensors and jobs, and the gates of a guarded environment."""
        project = load_project(Path(context.path))
        registry = registry_defs(project, self.look_every_s)
        sensors = [reconcile_sensor(project, self.look_every_s)]
        if not project.is_guarded:
            own = dg.Definitions(assets=[built_release(project, self.description)], sensors=sensors)
        else:
            asset = planned_release(project, self.description)
            own = dg.Definitions(assets=[asset], jobs=move_jobs(project), sensors=sensors)
        return dg.Definitions.merge(own, registry)


def built_release(project: Project, description: str) -> dg.AssetsDefinition:
    """Return the release asset of an unguarded environment. Materializing it builds a release of what is shown."""

    @dg.multi_asset(name=f"{project.environment}__{NAME}", specs=[_spec(project, description)])
    def release(context: dg.AssetExecutionContext) -> Iterator[Result]:
        try:
            with open_session(project, actor=actor_of_run(context.run.tags)) as session:
                built = build_release(session, load_definitions(project))
        except DataOpsError as error:
            raise failure_of(error) from None
        yield dg.MaterializeResult(data_version=dg.DataVersion(built.id), metadata=release_metadata(built))

    return release


def planned_release(project: Project, description: str) -> dg.AssetsDefinition:
    """Return the release asset of a guarded environment. Materializing it plans the promotion of the next release."""
    spec = _spec(project, description)
    checks = gate_specs(spec.key, _gates_asked(project).here.gates)

    @dg.multi_asset(name=f"{project.environment}__{NAME}", specs=[spec], check_specs=checks)
    def release(context: dg.AssetExecutionContext) -> Iterator[Result]:
        try:
            with open_session(checkout_of(project), actor=actor_of_run(context.run.tags)) as session:
                state = session.lake.state(session.environment)
                shown = find_release(session.lake, state.release) if state.release else None
                plan = propose(session, release_for(session))
        except DataOpsError as error:
            raise failure_of(error) from None
        metadata = {**plan_metadata(plan), **state_metadata(state, shown)}
        yield dg.MaterializeResult(
            data_version=dg.DataVersion(state.release or "none"),
            metadata=metadata,
            check_results=gate_results(spec.key, checks, plan),
        )

    return release


def _spec(project: Project, description: str) -> dg.AssetSpec:
    environment = project.environment
    own = f"What {environment} shows, as one release: code, data, models and contracts."
    if not project.is_guarded:
        does = "To materialize it is to build it."
    elif project.pinned_in is None:
        does = (
            f"No release is shown yet: this is the code that is checked out, and its steps refuse to run until one is "
            f"promoted (`dataops promote --to {environment}`). To materialize it is to plan that."
        )
    else:
        does = f"Code: commit {pinned_commit(project)[:12]}. To materialize it is to plan the promotion of the next."
    return dg.AssetSpec(
        key=dg.AssetKey([environment, NAME]),
        deps=[] if project.is_guarded else [dg.AssetKey([environment, PUBLICATION])],
        description=f"{description} {own} {does}".strip(),
        group_name=NAME,
        owners=[project.settings.owner],
        kinds={"git", "ducklake"},
    )


def _gates_asked(project: Project) -> Project:
    """Return the checkout, whose settings govern promotions; the pinned copy if the checkout lacks the environment."""
    try:
        return checkout_of(project)
    except UsedWrongly:
        return project
