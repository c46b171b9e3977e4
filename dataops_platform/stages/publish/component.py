"""The Dagster component of the publish stage."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dataops_platform.settings.project import Project
from dataops_platform.stages.component import Name, StageComponent
from dataops_platform.stages.publish.run import PublishStep
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
