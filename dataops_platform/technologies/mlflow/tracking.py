"""The project's MLflow: its store is created once, under a lock, with artefacts in a named folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.settings.environ import mlflow_defaults
from dataops_platform.settings.project import Project

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class Tracking:
    """A tracking store with its registry, and the experiment of this project and environment."""

    client: MlflowClient
    experiment_id: str


def open_tracking(project: Project) -> Tracking:
    """Open the project's MLflow, and create a SQLite store that is missing."""
    mlflow_defaults()
    from filelock import FileLock

    settings = project.settings.mlflow
    kind, _, rest = settings.tracking.partition(":")
    if kind != "sqlite":
        return _open(settings.tracking, project, None)
    path = (project.home / rest).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(path.name + ".lock")):
        return _open(f"sqlite:///{path}", project, (project.home / settings.artifacts).resolve())


def _open(uri: str, project: Project, artifacts: Path | None) -> Tracking:
    import logging

    import mlflow

    for name in ("alembic", "mlflow"):  # both log each migration of a new store at level INFO
        logging.getLogger(name).setLevel(logging.ERROR)
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    name = experiment_name(project, project.environment)
    found = client.get_experiment_by_name(name)
    experiment = (
        found.experiment_id
        if found
        else client.create_experiment(
            name, artifact_location=artifacts and f"{artifacts.as_uri()}/{project.environment}"
        )
    )
    return Tracking(client, experiment)


def experiment_name(project: Project, environment: str) -> str:
    """Return the name of an environment's experiment: `<project>/<environment>`."""
    return f"{project.name}/{environment}"


def model_name(project: Project, model: str, environment: str = "") -> str:
    """Return a model's registered name, `<environment>.<project>.<model>`; by default in the project's environment."""
    return f"{environment or project.environment}.{project.name}.{model}"
