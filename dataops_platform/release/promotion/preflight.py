"""Everything that can fail before an environment is moved: afterwards there is one switch, and nothing to take back."""

from __future__ import annotations

from dataops_platform.kit.errors import Refused
from dataops_platform.manifests.cut import Cut
from dataops_platform.release.promotion.lost_tables import refuse_unreadable
from dataops_platform.settings.project import Project
from dataops_platform.technologies.mlflow.registry import version_files
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.sklearn.artefact import refuse_other_files
from dataops_platform.warehouse.lake import Lake


def prepare(project: Project, lake: Lake, cut: Cut) -> None:
    """Makes sure that the project's environment can show `cut`.

    Changes nothing that is shown; no model is made an object. Raises: Refused DP-L039 for a table that can no longer
    be read; DP-M002, DP-M001, DP-M021 or DP-M011 for a model that is missing or whose files are others.
    """
    refuse_unreadable(lake, project.environment, cut)
    refuse_other_models(project, cut)


def refuse_other_models(project: Project, cut: Cut) -> None:
    """Refuses models whose version or files are not those of the cut. Raises: Refused DP-M002, DP-M001, …"""
    models = [member for member in cut.members if member.kind == "model"]
    if not models:
        return
    tracking = open_tracking(project)
    for member in models:
        name = model_name(project, member.name, member.area)
        try:
            refuse_other_files(version_files(tracking.client, name, member.version), member.digest)
        except Refused as refused:
            refused.context = f"{name} version {member.version}"
            raise
