"""Keeps other code than that of the release out of a guarded environment."""

from __future__ import annotations

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import Refused
from dataops_platform.settings.code import code_digest_of
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.state import State


def refuse_other_code(project: Project, state: State) -> None:
    """Refuses to work in a guarded environment with other code than that of the release it shows.

    Raises: Refused DP-R007.
    """
    if not project.is_guarded:
        return
    environment = project.environment
    if not state.release:
        raise Refused("DP-R008", environment=environment)
    if code_digest_of(project.root) != state.code:
        raise Refused("DP-R007", environment=environment, release=short(state.release), project=project.root.name)
