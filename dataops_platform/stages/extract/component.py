"""The Dagster component of the extract stage."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dataops_platform.settings.project import Project
from dataops_platform.stages.component import AssetName, StageComponent, StrictResolved
from dataops_platform.stages.extract.run import ExtractStep
from dataops_platform.stages.scaffold import scaffolder

EXAMPLE = """\
  tables:
    - name: raw_orders
      path: data/orders.csv          # relative to the project; .csv, .csv.gz, .zip of one .csv, .parquet
      # partitions: months           # a name from dataops.yaml: reload or backfill one span at a time
      # partition_columns: [day]     # one column with a date, or year and month (and day)
"""


class ExtractTable(StrictResolved):
    """One file, and the raw table that it is loaded into."""

    name: AssetName
    """The name of the raw table."""
    path: str
    """The file, relative to the project: .csv, .csv.gz, .zip of one .csv, .parquet."""
    description: str = ""
    """A description for people."""
    partitions: str | None = None
    """The name of partitions in `dataops.yaml` to load the file by; whole by default."""
    partition_columns: list[str] = []
    """The column with a date, or the columns of year, month (and day), that decide the partition of a row."""
    max_refused_share: float = 0.02
    """The largest share (0 to 1) of lines that may be unreadable. With more, the step fails and nothing is written."""


@dg.scaffold_with(scaffolder(EXAMPLE))
class ExtractComponent(StageComponent):
    """Load files into raw tables: every value as it was written, with its file and line."""

    tables: list[ExtractTable]
    """The files to load."""

    def steps(self, project: Project) -> Sequence[ExtractStep]:
        """Return one step for each file."""
        return [
            ExtractStep(
                project=project,
                name=table.name,
                path=table.path,
                description=table.description,
                partitions=project.partition(table.partitions) if table.partitions else None,
                partition_columns=tuple(table.partition_columns),
                max_refused_share=table.max_refused_share,
            )
            for table in self.tables
        ]
