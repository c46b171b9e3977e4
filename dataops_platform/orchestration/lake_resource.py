"""The lake as a Dagster resource, for assets that a team writes itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, overload

from dataops_platform.kit.sql import identifier
from dataops_platform.orchestration.project_resource import ProjectResource
from dataops_platform.stages.guard import refuse_other_code
from dataops_platform.warehouse.open import lake_of
from dataops_platform.warehouse.shown_rows import Selection, shown_rows

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from duckdb import DuckDBPyConnection


class LakeResource(ProjectResource):
    """The lake of a project: rows that an environment shows, read-only, and its build area, to write to."""

    @overload
    def read(self, table: str, *, at: str = "", frame: Literal["polars"] = "polars") -> "pl.DataFrame": ...
    @overload
    def read(self, table: str, *, at: str = "", frame: Literal["pandas"]) -> "pd.DataFrame": ...
    @overload
    def read(self, table: str, *, at: str = "", frame: Literal["arrow"]) -> "pa.Table": ...
    def read(
        self, table: str, *, at: str = "", frame: Literal["polars", "pandas", "arrow"] = "polars"
    ) -> "pl.DataFrame | pd.DataFrame | pa.Table":
        """Return the rows (rows x columns, in memory) that the environment shows of a table, now or at a moment.

        `at` is ISO format, UTC unless it says otherwise.
        Raises: UsedWrongly DP-Q005, DP-L016; Refused DP-Q007: see `dataops_platform.read`.
        """
        project = self.load()
        with lake_of(project, read_only=True) as lake:
            rows = shown_rows(lake, Selection(project.environment, table, at))
            if frame == "pandas":
                return rows.df()
            return rows.pl() if frame == "polars" else rows.to_arrow_table()

    @contextmanager
    def shown(self) -> "Iterator[DuckDBPyConnection]":
        """Open a read-only DuckDB connection whose default schema is what the environment shows."""
        project = self.load()
        with lake_of(project, read_only=True) as lake:
            lake.connection.execute(f"use lake.{identifier(project.environment)}")
            yield lake.connection

    @contextmanager
    def build_area(self) -> "Iterator[DuckDBPyConnection]":
        """Open a DuckDB connection whose default schema is the environment's build area, in one transaction.

        The transaction is committed at the end and rolled back whole when anything is raised. A table written here is
        not shown to consumers: a step or a publication that reads it takes it in as it finds it.
        Raises: Refused DP-R007 where a guarded environment runs the code of another release; LostRace DP-W004.
        """
        project = self.load()
        schema = f"lake.{identifier(project.build_schema)}"
        with lake_of(project) as lake:
            refuse_other_code(project, lake.state(project.environment))
            lake.create_schema(project.build_schema)
            with lake.transaction():
                lake.connection.execute(f"use {schema}")
                yield lake.connection
