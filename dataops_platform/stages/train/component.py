"""The Dagster component of the train stage."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dataops_platform.kit.user_code import check_function
from dataops_platform.settings.project import Project
from dataops_platform.stages.component import AssetName, DayField, StageComponent, StrictResolved
from dataops_platform.stages.contract_files import required_contract
from dataops_platform.stages.partitions import PartitionWindow
from dataops_platform.stages.scaffold import scaffolder
from dataops_platform.stages.train.run import TrainStep

EXAMPLE = """\
  name: churn                        # registered as <environment>.<project>.churn
  table: customer_features           # its contract says of each column when it becomes known (knownAt)
  function: my_project.churn:fit     # (features: pandas.DataFrame, target: pandas.Series) -> a scikit-learn classifier
  target: left
  features: [age, orders_last_month]
  known_by: month_start              # only columns known then may be features
  time_column: month
  train: {start: "2024-01-01", end: "2024-06-01"}
  judge: {start: "2024-06-01", end: "2024-07-01"}
  # baselines: [[age]]               # rates by these columns; the constant rate always stands beside the model
"""


class Span(StrictResolved):
    """Days from `start` (inclusive) to `end` (exclusive)."""

    start: DayField
    """The first day."""
    end: DayField
    """The day after the last one."""

    def window(self) -> PartitionWindow:
        """Return the span as a plain record."""
        return PartitionWindow(self.start, self.end)


@dg.scaffold_with(scaffolder(EXAMPLE))
class TrainComponent(StageComponent):
    """Train and register a model version on a feature table, evaluated beside its baselines; no alias is set."""

    name: AssetName
    """The name of the model, registered as `<environment>.<project>.<name>`."""
    table: AssetName
    """The feature table."""
    function: str
    """`module:function` that takes features and target (pandas) and returns a fitted scikit-learn classifier."""
    target: str
    """The column to predict: true or false."""
    features: list[str]
    """The columns to learn from."""
    known_by: str
    """The moment of prediction: only columns whose `knownAt` in the contract is this may be features."""
    time_column: str
    """The column of dates by which rows are selected for training and evaluation."""
    train: Span
    """The days to train on."""
    judge: Span
    """The days to evaluate on."""
    baselines: list[list[str]] = []
    """Lists of columns: for each, the target's rate by their values is a baseline. The constant rate always is one."""
    contract: str | None = None
    """The feature table's contract; `contracts/<table>.odcs.yaml` by default."""
    description: str = ""
    """A description for people."""

    def steps(self, project: Project) -> Sequence[TrainStep]:
        """Return one step. Raises: UsedWrongly DP-T001 for a feature known too late, DP-T002 for an unknown column."""
        check_function(self.function)
        return [
            TrainStep(
                project=project,
                name=self.name,
                table=self.table,
                contract=required_contract(project, self.table, self.contract),
                function=self.function,
                target=self.target,
                features=tuple(self.features),
                known_by=self.known_by,
                time_column=self.time_column,
                train=self.train.window(),
                judge=self.judge.window(),
                baselines=tuple(tuple(by) for by in self.baselines),
                description=self.description,
            )
        ]
