"""The Dagster component of the publish stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from dataops_platform.settings.project import Project, load_project
from dataops_platform.stages.component import SKIP_TAG, Name, StageComponent
from dataops_platform.stages.publish.run import PUBLICATION, PublishStep
from dataops_platform.stages.scaffold import scaffolder
from dataops_platform.stages.step import required_contract

EXAMPLE = """\
  tables: [orders, daily_sales]      # each has a contract, contracts/<table>.odcs.yaml
  # models: [churn]
"""


@dg.scaffold_with(scaffolder(EXAMPLE))
class Publish(StageComponent):
    """Audited tables and models become what consumers see: one consistent cut, in one switch."""

    tables: list[Name]
    models: list[Name] = []

    def steps(self, project: Project) -> Sequence[PublishStep]:
        """One step. Raises: UsedWrongly DP-C006 for a table without a contract."""
        return [
            PublishStep(
                project=project,
                tables=tuple(self.tables),
                models=tuple(self.models),
                contracts={name: required_contract(project, name) for name in self.tables},
            )
        ]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The publication, and the job `run_<environment>`: all on the way to it, skipping what is unchanged."""
        project = load_project(Path(context.path))
        publication = dg.AssetSelection.assets([project.environment, PUBLICATION])
        job = dg.define_asset_job(
            f"run_{project.environment}",
            publication.upstream(),
            tags={SKIP_TAG: "true"},
            executor_def=dg.in_process_executor,
            description="Everything from the sources to the publication, skipping what is unchanged: `dataops run`.",
        )
        return dg.Definitions.merge(super().build_defs(context), dg.Definitions(jobs=[job]))
