"""Resources for a team's own assets: the lake and MLflow of a project, each in one environment."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import dagster as dg
from pydantic import Field

from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.sql import identifier
from dataops_platform.settings.project import Project, load_project
from dataops_platform.stages.guard import refuse_other_code
from dataops_platform.technologies.mlflow.registry import resolve_version
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.warehouse.open import lake_of
from dataops_platform.warehouse.shown_rows import Selection, shown_rows

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from mlflow import ActiveRun, MlflowClient


class ProjectResource(dg.ConfigurableResource[None]):
    """A resource of a project in one environment; both values can come from an `EnvVar`."""

    project: str = Field(default=".", description="A folder in the project.")
    environment: str = Field(default="", description="The environment; empty: the one that DATAOPS_ENV names, or dev.")

    def load(self) -> Project:
        """Load the project. Raises: UsedWrongly as `load_project` does."""
        return load_project(Path(self.project), self.environment or None)


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

        `at` is a moment in ISO format, UTC without an offset.
        Raises: UsedWrongly DP-Q005, DP-Q010, DP-L016, DP-L065; Refused DP-Q007: see `dataops_platform.read`.
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
        not shown to consumers. A step that reads it records its rows as of that moment.
        Raises: Refused DP-R007 where a guarded environment runs the code of another release, DP-R008 before its first
        release; LostRace DP-W018 when another writer changed the same things first.
        """
        project = self.load()
        schema = f"lake.{identifier(project.build_schema)}"
        with lake_of(project) as lake:
            refuse_other_code(project, lake.state(project.environment))
            lake.create_schema(project.build_schema)
            with lake.transaction():
                lake.connection.execute(f"use {schema}")
                yield lake.connection


class MlflowResource(ProjectResource):
    """The MLflow of a project: runs in the environment's experiment, and its registered models by their short names."""

    def client(self) -> "MlflowClient":
        """Return a client of the project's tracking store and registry."""
        return open_tracking(self.load()).client

    @contextmanager
    def run(self, name: str = "") -> "Iterator[ActiveRun]":
        """Start a run in the environment's experiment; `mlflow.log_metric` and the like inside write to it."""
        import mlflow

        tracking = open_tracking(self.load())
        with mlflow.start_run(experiment_id=tracking.experiment_id, run_name=name or None) as run:
            yield run

    def model_name(self, model: str) -> str:
        """Return the registered name of a model: `<environment>.<project>.<model>`."""
        return model_name(self.load(), model)

    def version(self, model: str, alias: str = "") -> str:
        """Return the number of the model's version that the environment shows; with an alias, the one it points at.

        Raises: UsedWrongly DP-M013 when the registry has no such alias, DP-M012 when no such model is shown.
        """
        project = self.load()
        if alias:
            return resolve_version(open_tracking(project).client, model_name(project, model), alias)
        with lake_of(project, read_only=True) as lake:
            shown = {m.name: m.version for m in lake.state(project.environment).cut.members if m.kind == "model"}
        if model not in shown:
            hint = did_you_mean(model, shown)
            raise UsedWrongly("DP-M012", environment=project.environment, model=model, hint=hint)
        return shown[model]
