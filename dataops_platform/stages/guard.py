"""The guard of environments that take releases: only the code of the release may run there."""

from __future__ import annotations

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import Refused
from dataops_platform.settings.code import code_digest_of
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.state import State


def refuse_other_code(project: Project, state: State) -> None:
    """Refuse to work in a guarded environment with code other than that of the release it shows.

    Raises: Refused DP-R007 for other code, DP-R008 before the first release.
    """
    if not project.is_guarded:
        return
    environment = project.environment
    if not state.release:
        raise Refused("DP-R008", environment=environment)
    if code_digest_of(project.root) != state.code:
        raise Refused("DP-R007", environment=environment, release=short(state.release), project=project.root.name)
