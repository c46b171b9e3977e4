"""The Dagster component of the score stage."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dataops_platform.settings.project import Project
from dataops_platform.stages.component import AssetName, DayField, StageComponent
from dataops_platform.stages.contract_files import required_contract
from dataops_platform.stages.partitions import PartitionWindow
from dataops_platform.stages.scaffold import scaffolder
from dataops_platform.stages.score.run import ScoreStep

EXAMPLE = """\
  name: churn_predictions            # its contract is contracts/churn_predictions.odcs.yaml; its key is taken over
  from_model: churn
  table: customer_features
  time_column: month
  start: "2024-07-01"
  end: "2024-08-01"
  # threshold: 0.5
"""


@dg.scaffold_with(scaffolder(EXAMPLE))
class ScoreComponent(StageComponent):
    """Predict a window of a feature table with a model; the table of predictions satisfies a contract."""

    name: AssetName
    """The name of the table of predictions. The key columns of its contract are copied from the feature table."""
    from_model: AssetName
    """The model."""
    table: AssetName
    """The feature table."""
    time_column: str
    """The column of dates by which rows are selected."""
    start: DayField
    """The first day to predict."""
    end: DayField
    """The day after the last one."""
    threshold: float = 0.5
    """The probability from which `predicted` is true."""
    contract: str | None = None
    """The contract's file; `contracts/<name>.odcs.yaml` by default."""

    def steps(self, project: Project) -> Sequence[ScoreStep]:
        """Return one step. Raises: UsedWrongly DP-T005 for predictions without a key."""
        return [
            ScoreStep(
                project=project,
                name=self.name,
                model=self.from_model,
                table=self.table,
                contract=required_contract(project, self.name, self.contract),
                time_column=self.time_column,
                window=PartitionWindow(self.start, self.end),
                threshold=self.threshold,
            )
        ]
