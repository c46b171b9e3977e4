"""`dataops.yaml` as a record."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.paths import find_upward
from dataops_platform.kit.strict import StrictModel, secret, validate
from dataops_platform.kit.yaml_file import read_yaml
from dataops_platform.settings.environ import arm_faults, checked_environment, chosen_environment

FILE_NAME = "dataops.yaml"
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
RESERVED_NAMES = frozenset({"publication", "release"})


def table_name(value: str) -> str:
    """`value` when it can name a table, a model or a project; also its asset key's last part."""
    if not NAME.fullmatch(value) or "__" in value:
        raise ValueError("use lower-case letters, digits and single underscores, starting with a letter")
    if value in RESERVED_NAMES:
        raise ValueError(f"{value!r} names an asset of the platform itself")
    return value


def environment_name(value: str) -> str:
    """`value` when it can name an environment."""
    try:
        return checked_environment(value)
    except UsedWrongly as error:
        raise ValueError(f"{error.what}; {error.fix}") from error


def without_password(value: str) -> str:
    """`value` when it holds no password: no `password=…` and no `user:password@host`."""
    if re.search(r"(?i)passw(or)?d\s*=|://[^/@]*:[^/@]*@", value):
        raise secret("a password does not belong in a file; use PGPASSWORD or ~/.pgpass")
    return value


def iso_day(value: object) -> object:
    """A quoted ISO date as a date; anything else as it is."""
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


TableName = Annotated[str, AfterValidator(table_name)]
EnvironmentName = Annotated[str, AfterValidator(environment_name)]
Location = Annotated[str, AfterValidator(without_password)]
Day = Annotated[dt.date, BeforeValidator(iso_day)]


class LakeSettings(StrictModel):
    """Where the lake keeps its catalog and its Parquet files; relative to the project."""

    catalog: Location = "sqlite:.dataops/lake.sqlite"
    data: Location = ".dataops/data"

    @field_validator("catalog")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        kind, _, rest = value.partition(":")
        if kind not in ("sqlite", "postgres") or not rest:
            raise ValueError("write sqlite:PATH or postgres:dbname=… host=…")
        return value


class MlflowSettings(StrictModel):
    """Where MLflow keeps runs and models; relative to the project when a path."""

    tracking: Location = "sqlite:.dataops/mlflow.sqlite"
    artifacts: Location = ".dataops/mlflow"


class PartitionSettings(StrictModel):
    """Equal spans of time from `start` (inside) to `end` (outside)."""

    every: Literal["month", "day"]
    start: Day
    end: Day

    @model_validator(mode="after")
    def _in_order(self) -> PartitionSettings:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        if self.every == "month" and (self.start.day != 1 or self.end.day != 1):
            raise ValueError("months start and end on the first day")
        return self

    def keys(self) -> list[str]:
        """First days of all spans, ISO format, in order; also their partition keys."""
        keys, day = [], self.start
        while day < self.end:
            keys.append(day.isoformat())
            day = (
                (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
                if self.every == "month"
                else day + dt.timedelta(days=1)
            )
        return keys


class EnvironmentSettings(StrictModel):
    """An environment; so far they differ by name only."""


class DataOpsYaml(StrictModel):
    """The content of `dataops.yaml`."""

    project: TableName
    owner: str = Field(pattern=r"^(team:[a-z0-9_-]+|[^@\s]+@[^@\s]+)$")
    lake: LakeSettings = LakeSettings()
    mlflow: MlflowSettings = MlflowSettings()
    partitions: dict[str, PartitionSettings] = {}
    environments: dict[EnvironmentName, EnvironmentSettings] = {"dev": EnvironmentSettings()}


@dataclass(frozen=True)
class Project:
    """A project folder, its settings and the environment this process works in."""

    root: Path
    settings: DataOpsYaml
    environment: str

    @property
    def name(self) -> str:
        return self.settings.project

    @property
    def state_dir(self) -> Path:
        """The folder of everything the platform keeps beside the lake: extensions, locks, caches, Dagster's home."""
        return self.root / ".dataops"

    @property
    def build_schema(self) -> str:
        """The schema tables are written to and audited in."""
        return f"{self.environment}__build"

    def partition(self, name: str) -> PartitionSettings:
        """The spans called `name`. Raises: UsedWrongly DP-P003 when there are none."""
        known = self.settings.partitions
        if name not in known:
            raise UsedWrongly(
                "DP-P003",
                f"no partitions are called {name!r}; {did_you_mean(name, known)}",
                where=f"{FILE_NAME}, partitions",
            )
        return known[name]

    def file(self, relative: str) -> Path:
        """A file of the project. Raises: UsedWrongly DP-P005 when it lies outside or is missing."""
        path = (self.root / relative).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise UsedWrongly("DP-P005", f"{relative} lies outside the project", fix="move it into the project")
        if not path.exists():
            names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise UsedWrongly("DP-P005", f"{relative} does not exist; {did_you_mean(path.name, names)}")
        return path


def load_project(start: Path, environment: str | None = None) -> Project:
    """The project that holds `start`, in `environment` (else the one `DATAOPS_ENV` names, else dev).

    Raises: UsedWrongly DP-P001 when there is no `dataops.yaml`, DP-P002 for a fault in it, DP-P004 for an
    environment it does not list.
    """
    arm_faults()
    path = find_upward(FILE_NAME, start.resolve())
    if path is None:
        raise UsedWrongly(
            "DP-P001",
            f"no {FILE_NAME} in {start.resolve()} or above",
            fix="change into a project, or name one with --project",
        )
    settings = validate(DataOpsYaml, read_yaml(path, "DP-P002"), "DP-P002")
    chosen = checked_environment(environment) if environment else chosen_environment()
    if chosen not in settings.environments:
        raise UsedWrongly(
            "DP-P004",
            f"{FILE_NAME} lists no environment {chosen!r}; {did_you_mean(chosen, settings.environments)}",
        )
    return Project(path.parent, settings, chosen)
