"""`dataops.yaml` as a record."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.paths import find_upward
from dataops_platform.kit.validation import StrictModel, secret_error, validate
from dataops_platform.kit.yaml_file import read_yaml
from dataops_platform.settings.day import Day
from dataops_platform.settings.environ import arm_faults, checked_environment, chosen_environment
from dataops_platform.settings.environments import (
    EnvironmentName,
    EnvironmentSettings,
    Person,
    check_origins,
    check_roles,
)

FILE_NAME = "dataops.yaml"
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
STATE_FOLDER = ".dataops"
PIN = "home"
"""The file in the state folder of a pinned copy that holds the path of the project itself."""
COPIES = "code"
"""The folder of the pinned copies in a project's state folder: a worktree for each commit."""
BRANCHES = "branches"
"""The folder in a project's state folder that has a file for each branch environment made from here."""
RESERVED_NAMES = frozenset({"publication", "release"})


def table_name(value: str) -> str:
    """Return `value` when it can name a table, a model or a project, and end an asset key. Raises: ValueError."""
    if not NAME.fullmatch(value) or "__" in value:
        raise ValueError("use lower-case letters, digits and single underscores, starting with a letter")
    if value in RESERVED_NAMES:
        raise ValueError(f"{value!r} names an asset of the platform itself")
    return value


def without_password(value: str) -> str:
    """Return `value` when it holds no password: no `password=…` and no `user:password@host`.

    Raises: PydanticCustomError, which keeps the value out of the message.
    """
    if re.search(r"(?i)passw(or)?d\s*=|://[^/@]*:[^/@]*@", value):
        raise secret_error("a password does not belong in a file; use PGPASSWORD or ~/.pgpass")
    return value


TableName = Annotated[str, AfterValidator(table_name)]
Location = Annotated[str, AfterValidator(without_password)]


class LakeSettings(StrictModel):
    """Where the lake stores its catalog and its Parquet files. Relative paths start at the project."""

    catalog: Location = "sqlite:.dataops/lake.sqlite"
    """`sqlite:PATH`, or `postgres:dbname=… host=…`. A password is refused: use PGPASSWORD or ~/.pgpass."""
    data: Location = ".dataops/data"
    """The folder of the Parquet files, or a bucket."""

    @field_validator("catalog")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        kind, _, rest = value.partition(":")
        if kind not in ("sqlite", "postgres") or not rest:
            raise ValueError("write sqlite:PATH or postgres:dbname=… host=…")
        return value


class MlflowSettings(StrictModel):
    """Where MLflow stores runs and models. Relative paths start at the project."""

    tracking: Location = "sqlite:.dataops/mlflow.sqlite"
    """`sqlite:PATH`, or the address of an MLflow server."""
    artifacts: Location = ".dataops/mlflow"
    """The folder of models and plots when `tracking` is a file."""


class PartitionSettings(StrictModel):
    """Partitions of equal length from `start` (inclusive) to `end` (exclusive)."""

    every: Literal["month", "day"]
    """The length of a partition."""
    start: Day
    """The first day."""
    end: Day
    """The day after the last."""

    @model_validator(mode="after")
    def _in_order(self) -> PartitionSettings:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        if self.every == "month" and (self.start.day != 1 or self.end.day != 1):
            raise ValueError("months start and end on the first day")
        return self

    def keys(self) -> list[str]:
        """Return the partition keys in order: the first day of each partition, in ISO format."""
        keys, day = [], self.start
        while day < self.end:
            keys.append(day.isoformat())
            day = (
                (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
                if self.every == "month"
                else day + dt.timedelta(days=1)
            )
        return keys


class DataOpsYaml(StrictModel):
    """The content of `dataops.yaml`."""

    project: TableName
    """The project's name: lower-case letters, digits, single underscores."""
    owner: str = Field(pattern=r"^(team:[a-z0-9_-]+|[^@\s]+@[^@\s]+)$")
    """The owner of everything without a contract: `team:NAME` or a mail address."""
    lake: LakeSettings = LakeSettings()
    """Where the tables are."""
    mlflow: MlflowSettings = MlflowSettings()
    """Where the models are."""
    partitions: dict[str, PartitionSettings] = {}
    """Partitions of time by name, for tables that are loaded one partition at a time."""
    roles: dict[str, list[Person]] = {}
    """People by role; `"*"` among them means everybody."""
    environments: dict[EnvironmentName, EnvironmentSettings] = {"dev": EnvironmentSettings()}
    """Environments by name: lower-case letters, digits, single underscores, at most 40 characters."""

    @field_validator("environments")
    @classmethod
    def _check_origins_and_roles(
        cls, value: dict[str, EnvironmentSettings], info: ValidationInfo
    ) -> dict[str, EnvironmentSettings]:
        check_origins(value)
        check_roles(value, info.data.get("roles", {}))
        return value


@dataclass(frozen=True)
class Project:
    """A project's folder, its settings, and the environment that this process works in."""

    root: Path
    settings: DataOpsYaml
    environment: str
    pinned_in: Path | None = None
    """The folder of the project of which this is a pinned copy; lake and state are there."""

    @property
    def name(self) -> str:
        return self.settings.project

    @property
    def home(self) -> Path:
        """The folder at which relative paths of lake and registry start: the project's own, also for a pinned copy."""
        return self.pinned_in or self.root

    @property
    def state_dir(self) -> Path:
        """The folder of all that the platform keeps beside the lake: extensions, locks, caches, Dagster's home."""
        return self.home / STATE_FOLDER

    @property
    def here(self) -> EnvironmentSettings:
        """The settings of this environment."""
        return self.settings_of(self.environment)

    @property
    def is_guarded(self) -> bool:
        """Whether this environment shows only what was promoted to it, and runs only its release's code."""
        return self.here.from_ is not None

    def settings_of(self, environment: str) -> EnvironmentSettings:
        """Return the settings of an environment; a branch environment has the defaults."""
        return self.settings.environments.get(environment, EnvironmentSettings())

    def at(self, environment: str) -> Project:
        """Return the same project in another environment. Raises: UsedWrongly DP-P004 for an unknown environment."""
        return replace(self, environment=known_environment(environment, self.settings, self.state_dir))

    @property
    def build_schema(self) -> str:
        """The schema in which tables are written and audited."""
        return f"{self.environment}__build"

    def partition(self, name: str) -> PartitionSettings:
        """Return the partitions called `name`. Raises: UsedWrongly DP-P003 for an unknown name."""
        known = self.settings.partitions
        if name not in known:
            raise UsedWrongly("DP-P003", name=name, hint=did_you_mean(name, known), file=FILE_NAME)
        return known[name]

    def file(self, relative: str) -> Path:
        """Return a file of the project.

        Raises: UsedWrongly DP-P007 when it lies outside, DP-P005 when it is missing.
        """
        path = (self.root / relative).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise UsedWrongly("DP-P007", file=relative)
        if not path.exists():
            names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise UsedWrongly("DP-P005", file=relative, hint=did_you_mean(path.name, names))
        return path


def load_project(start: Path, environment: str | None = None) -> Project:
    """Return the project that holds `start`, in `environment` (else the one `DATAOPS_ENV` names, else dev).

    Raises: UsedWrongly DP-P001 when there is no `dataops.yaml`, DP-Y… for a fault in it, DP-P004 for an environment it
    does not list.
    """
    arm_faults()  # whatever works on a project comes by here, so a process of the kill tests knows where to die
    path = find_upward(FILE_NAME, start.resolve())
    if path is None:
        raise UsedWrongly("DP-P001", file=FILE_NAME, folder=start.resolve())
    settings = validate(DataOpsYaml, read_yaml(path))
    chosen = checked_environment(environment) if environment else chosen_environment()
    pin = path.parent / STATE_FOLDER / PIN
    home = Path(pin.read_text()) if pin.is_file() else None
    known_environment(chosen, settings, (home or path.parent) / STATE_FOLDER)
    return Project(path.parent, settings, chosen, home)


def checkout_of(project: Project) -> Project:
    """Return the project as the command line loads it: the checkout's settings govern promotions, not a pinned copy's.

    Raises: what `load_project` raises.
    """
    return load_project(project.home, project.environment)


def branch_file(state_dir: Path, name: str) -> Path:
    """Return the file that marks a branch environment of this name as made from here."""
    return state_dir / BRANCHES / name


def known_environment(name: str, settings: DataOpsYaml, state_dir: Path) -> str:
    """Return `name` when `dataops.yaml` lists it, or when a branch environment of that name was made from here.

    Raises: UsedWrongly DP-P004.
    """
    if name in settings.environments or branch_file(state_dir, checked_environment(name)).exists():
        return name
    branches = [path.name for path in (state_dir / BRANCHES).glob("*")]
    raise UsedWrongly(
        "DP-P004", file=FILE_NAME, name=name, hint=did_you_mean(name, [*settings.environments, *branches])
    )
