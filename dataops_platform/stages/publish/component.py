"""The Dagster component of the publish stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import dagster as dg

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.settings.project import Project, load_project
from dataops_platform.stages.component import AssetName, StageComponent
from dataops_platform.stages.contract_files import required_contract
from dataops_platform.stages.publish.run import PUBLICATION, PublishStep
from dataops_platform.stages.scaffold import scaffolder
from dataops_platform.stages.step import SKIP_TAG
from dataops_platform.warehouse.open import lake_of
from dataops_platform.warehouse.state import State

Job: TypeAlias = Any
"""What `dg.define_asset_job` returns; Dagster has no public name for it."""
TRAIN = "train"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

EXAMPLE = """\
  tables: [orders, daily_sales]      # each has a contract, contracts/<table>.odcs.yaml
  # models: [churn]
"""


@dg.scaffold_with(scaffolder(EXAMPLE))
class PublishComponent(StageComponent):
    """Publish audited tables and models to consumers: one consistent cut, in one transaction."""

    tables: list[AssetName]
    """The tables that consumers see; each has a contract."""
    models: list[AssetName] = []
    """The models that are shown beside them."""

    def steps(self, project: Project) -> Sequence[PublishStep]:
        """Return one step. Raises: UsedWrongly DP-C006 for a table without a contract."""
        return [
            PublishStep(
                project=project,
                tables=tuple(self.tables),
                models=tuple(self.models),
                contracts={name: required_contract(project, name) for name in self.tables},
            )
        ]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the publication, the job `run_<environment>` and, where the environment has one, its schedule."""
        project = load_project(Path(context.path))
        job = run_job(project)
        schedules = [schedule_of(project, job, project.here.schedule)] if project.here.schedule else []
        return dg.Definitions.merge(super().build_defs(context), dg.Definitions(jobs=[job], schedules=schedules))


def run_job(project: Project) -> Job:
    """Return the job `run_<environment>`: everything upstream of the publication, skipping what is unchanged.

    Nothing is trained in a guarded environment, which scores with its release's model: a model that is trained again
    there is shown by a release of its own.
    """
    all_of_it: dg.AssetSelection = dg.AssetSelection.assets([project.environment, PUBLICATION]).upstream()
    made = "Everything from the sources to the publication"
    if project.is_guarded:
        all_of_it = all_of_it - dg.AssetSelection.groups(TRAIN)
        made += " with the code and the models of the release that is shown"
    return dg.define_asset_job(
        f"run_{project.environment}",
        all_of_it,
        tags={SKIP_TAG: "true"},
        executor_def=dg.in_process_executor,
        description=f"{made}, skipping what is unchanged: `dataops run --env {project.environment}`.",
    )


def schedule_of(project: Project, job: Job, cron: str) -> dg.ScheduleDefinition:
    """Return the schedule of an environment, in UTC. It starts enabled, because `dataops.yaml` declares it.

    It skips while a guarded environment shows no release, and while the environment is held.
    """

    @dg.schedule(
        name=f"schedule_{project.environment}",
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Runs `{job.name}` at {cron}, UTC, as `dataops.yaml` says.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        why = why_not_now(project)
        if why:
            return dg.SkipReason(why)
        return dg.RunRequest(tags=_all_partitions(context.repository_def, job.name))

    return schedule


def why_not_now(project: Project) -> str:
    """Return why a scheduled run of an environment could show nothing; empty when it could."""
    try:
        with lake_of(project, read_only=True) as lake:
            state = lake.state(project.environment)
    except UsedWrongly:
        state = State(project.environment)
    if project.is_guarded and not state.release:
        return f"{project.environment} shows no release yet: dataops promote --to {project.environment}"
    if state.held:
        return f"{project.environment} is held since its rollback: dataops resume {project.environment}"
    return ""


def _all_partitions(repository: dg.RepositoryDefinition | None, job: str) -> dict[str, str]:
    """Return the tags of a run over all partitions of a job; empty for a job without partitions."""
    partitions = repository.get_job(job).partitions_def if repository else None
    keys = partitions.get_partition_keys() if partitions else []
    return {RANGE_START: keys[0], RANGE_END: keys[-1]} if keys else {}
