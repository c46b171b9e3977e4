"""What resources of a project have in common: the folder and the environment that they work in."""

from pathlib import Path

import dagster as dg
from pydantic import Field

from dataops_platform.settings.project import Project, load_project


class ProjectResource(dg.ConfigurableResource[None]):
    """A resource of a project in one environment; both values can come from an `EnvVar`."""

    project: str = Field(default=".", description="A folder in the project.")
    environment: str = Field(default="", description="The environment; empty: the one that DATAOPS_ENV names, or dev.")

    def load(self) -> Project:
        """Load the project. Raises: UsedWrongly as `load_project` does."""
        return load_project(Path(self.project), self.environment or None)
