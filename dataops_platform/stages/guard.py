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
        raise Refused(
            "DP-R007",
            f"no release was ever promoted to {environment}, and it runs only the code of its release",
            fix=f"dataops release build, then: dataops promote --to {environment}",
        )
    if code_digest_of(project.root) != state.code:
        raise Refused(
            "DP-R007",
            f"{environment} runs the code of release {short(state.release)}, and this is other code",
            where=f"{project.root.name}, {environment}",
            fix=f"run what is promoted: dataops run --env {environment}; or promote a release of this code",
        )
