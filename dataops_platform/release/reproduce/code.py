"""The code that a reproduction runs: that of the release, in a checkout of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from dataops_platform.kit.errors import Refused
from dataops_platform.release.pinned_code.pin import pin
from dataops_platform.release.reproduce.target import Target
from dataops_platform.settings.code import code_digest_of
from dataops_platform.settings.project import Project


@dataclass(frozen=True)
class ReleaseCode:
    """A folder with a project's code, the interpreter that runs it, and a text that describes its origin."""

    root: Path
    python: Path
    message: str


def code_of(project: Project, target: Target) -> ReleaseCode:
    """Return the code of the target's release; the present code for a run that belongs to no release.

    Raises: Refused DP-L051 for a release of uncommitted code that differs from the present code; what `pin` raises.
    """
    release = target.release
    if release is None:
        return ReleaseCode(project.root, Path(sys.executable), "no release has it, so by the code at hand")
    if not release.is_dirty and release.commit:
        pinned = pin(project, release)
        own = "" if pinned.is_for_this_interpreter else ", with what its lock says"
        return ReleaseCode(pinned.root, pinned.python, f"by the code of commit {release.commit[:12]}{own}")
    if code_digest_of(project.root) == release.code:
        return ReleaseCode(project.root, Path(sys.executable), "by the code at hand, which is that of the release")
    raise Refused("DP-L051", release=release)
