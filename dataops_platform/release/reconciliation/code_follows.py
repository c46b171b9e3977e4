"""The pinned copy made to follow the ledger: the code of what an environment shows is there to be run."""

from __future__ import annotations

from functools import partial

from dataops_platform.release.pinned_code.pin import is_pinned, pin
from dataops_platform.release.reconciliation.drift import Unequal
from dataops_platform.release.release import find_release
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State


def look_at_code(project: Project, lake: Lake, state: State) -> list[Unequal]:
    """Whether a guarded environment's code is pinned. A promotion sees to it first; a rollback must not wait for it.

    An environment is held after a rollback, so that nothing runs there before its code can be had.
    """
    if not project.is_guarded or not state.release:
        return []
    release = find_release(lake, state.release)
    if not release.commit or release.is_dirty or is_pinned(project, release):
        return []
    return [Unequal(f"the code of release {release} is pinned", partial(pin, project, release))]
