"""The Dagster component of the clean stage."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dataops_platform.kit.user_code import check_function
from dataops_platform.settings.project import Project
from dataops_platform.stages.clean.run import CleanStep
from dataops_platform.stages.component import AssetName, StageComponent, StrictResolved
from dataops_platform.stages.contract_files import required_contract
from dataops_platform.stages.scaffold import scaffolder

EXAMPLE = """\
  tables:
    - name: orders                   # its contract is contracts/orders.odcs.yaml
      input: raw_orders
      null_values: ["", "NA"]        # texts that mean: nothing is known
      # function: my_project.cleaning:orders   # polars.LazyFrame in, polars.LazyFrame out, one row for each row
      # max_refused_share: 0.02      # more refused rows than this fail the step, and nothing is written
      # partitions: months
"""


class CleanTable(StrictResolved):
    """One raw table, and the table under contract that is built from it."""

    name: AssetName
    """The name of the table."""
    input: AssetName
    """The raw table that it is built from."""
    contract: str | None = None
    """The contract's file; `contracts/<name>.odcs.yaml` by default."""
    function: str | None = None
    """`module:function` that returns the contract's columns, one row for each input row, as polars.LazyFrame or
    pandas.DataFrame."""
    null_values: list[str] = []
    """Texts that stand for a missing value."""
    max_refused_share: float = 0.02
    """The largest share (0 to 1) of rows that may be refused. With more, the step fails and nothing is written."""
    partitions: str | None = None
    """The name of partitions in `dataops.yaml`, the same as the raw table's."""


@dg.scaffold_with(scaffolder(EXAMPLE))
class CleanComponent(StageComponent):
    """Turn raw rows into typed rows that satisfy a contract; other rows go to quarantine with the rules they break."""

    tables: list[CleanTable]
    """The tables to build."""

    def steps(self, project: Project) -> Sequence[CleanStep]:
        """Return one step for each table. Raises: UsedWrongly for a missing contract or function."""
        return [self._step(project, table) for table in self.tables]

    def _step(self, project: Project, table: CleanTable) -> CleanStep:
        if table.function:
            check_function(table.function)
        return CleanStep(
            project=project,
            name=table.name,
            input=table.input,
            contract=required_contract(project, table.name, table.contract),
            function=table.function,
            null_values=tuple(table.null_values),
            max_refused_share=table.max_refused_share,
            partitions=project.partition(table.partitions) if table.partitions else None,
        )
