"""The Dagster component of the extract stage."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dataops_platform.settings.project import Project
from dataops_platform.stages.component import Name, StageComponent, StrictResolved
from dataops_platform.stages.extract.run import ExtractStep
from dataops_platform.stages.scaffold import scaffolder

EXAMPLE = """\
  tables:
    - name: raw_orders
      path: data/orders.csv          # relative to the project; .csv, .csv.gz, .zip of one .csv, .parquet
      # partitions: months           # a name from dataops.yaml: reload or backfill one span at a time
      # partition_columns: [day]     # one column with a date, or year and month (and day)
"""


class ExtractTable(StrictResolved, dg.Resolvable):
    """One file and the raw table it becomes."""

    name: Name
    """The raw table."""
    path: str
    """The file, relative to the project: .csv, .csv.gz, .zip of one .csv, .parquet."""
    description: str = ""
    """What it is, for people."""
    partitions: str | None = None
    """Spans of `dataops.yaml` to load it by; whole when not given."""
    partition_columns: list[str] = []
    """One column with a date, or the columns of year, month (and day), that say where a row belongs."""
    max_refused_share: float = 0.02
    """Share (0 to 1) of lines that may be no rows; more, and nothing is written."""


@dg.scaffold_with(scaffolder(EXAMPLE))
class Extract(StageComponent):
    """Files become raw tables: every value as it was written, with its file and line."""

    tables: list[ExtractTable]
    """The files, and what they become."""

    def steps(self, project: Project) -> Sequence[ExtractStep]:
        """One step for each file."""
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
