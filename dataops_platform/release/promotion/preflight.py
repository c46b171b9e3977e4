"""Checks everything that can fail before an environment is moved, so that the switch leaves nothing to undo."""

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
    """Check that the project's environment can show `cut`. Changes nothing, and loads no model.

    Raises: Refused DP-L039 for a table that can no longer be read; what `refuse_other_models` raises.
    """
    refuse_unreadable(lake, project.environment, cut)
    refuse_other_models(project, cut)


def refuse_other_models(project: Project, cut: Cut) -> None:
    """Refuse a cut with models whose registered files are missing or changed.

    Raises: Refused DP-M002 for a missing version, DP-M001, DP-M021 or DP-M011 for other files.
    """
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
