"""A project's MLflow as a Dagster resource: tracking, the names of its models, and their aliases."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.orchestration.project_resource import ProjectResource
from dataops_platform.technologies.mlflow.registry import version_called
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.warehouse.open import lake_of

if TYPE_CHECKING:
    from mlflow import ActiveRun, MlflowClient


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
            return version_called(open_tracking(project).client, model_name(project, model), alias)
        with lake_of(project, read_only=True) as lake:
            shown = {m.name: m.version for m in lake.state(project.environment).cut.members if m.kind == "model"}
        if model not in shown:
            hint = did_you_mean(model, shown)
            raise UsedWrongly("DP-M012", environment=project.environment, model=model, hint=hint)
        return shown[model]
