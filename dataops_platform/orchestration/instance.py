"""The Dagster instance of a project: the one that `DAGSTER_HOME` names, else its own below `.dataops/dagster`."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.settings.environ import dagster_home, set_dagster_home
from dataops_platform.settings.project import Project

if TYPE_CHECKING:
    from dagster import DagsterInstance


def instance_home(project: Project) -> Path:
    """Return the instance's folder. Create it, with the platform's `dagster.yaml`, where it is missing."""
    home = dagster_home() or project.state_dir / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        text = files("dataops_platform.orchestration").joinpath("dagster.yaml").read_text()
        config.write_text(text.replace("CORES", str(os.cpu_count() or 1)))
    return home.resolve()


def forget_assets(project: Project, environment: str) -> None:
    """Remove an environment's assets from Dagster's catalog, if the project has an instance. Its runs stay."""
    if not ((dagster_home() or project.state_dir / "dagster") / "dagster.yaml").exists():
        return
    with open_instance(project) as instance:
        keys = [key for key in instance.get_asset_keys(prefix=[environment]) if key.path[0] == environment]
        if keys:
            instance.wipe_assets(keys)


def open_instance(project: Project) -> DagsterInstance:
    """Open the project's instance, the one that the UI shows when it is started for this project."""
    import dagster as dg

    set_dagster_home(instance_home(project))
    return dg.DagsterInstance.get()
