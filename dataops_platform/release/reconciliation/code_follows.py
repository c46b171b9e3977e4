"""Keeps the pinned copy of the release that an environment shows."""

from __future__ import annotations

from functools import partial

from dataops_platform.release.pinned_code.pin import is_pinned, pin
from dataops_platform.release.reconciliation.drift import Drift
from dataops_platform.release.release import find_release
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State


def look_at_code(project: Project, lake: Lake, state: State) -> list[Drift]:
    """Return the drift of a guarded environment whose release is not pinned; empty when it is, or cannot be.

    A promotion pins the code before the switch. A rollback must not wait for that: it holds the environment, so nothing
    is published there before reconciliation pins the code.
    """
    if not project.is_guarded or not state.release:
        return []
    release = find_release(lake, state.release)
    if not release.commit or release.is_dirty or is_pinned(project, release):
        return []
    return [Drift(f"the code of release {release} is pinned", partial(pin, project, release))]
