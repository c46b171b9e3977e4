"""The code that makes something again: that of its release, in a checkout of its own."""

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
class Code:
    """A folder with a project's code, the interpreter it runs with, and in words whose code it is."""

    root: Path
    python: Path
    said: str


def code_of(project: Project, target: Target) -> Code:
    """The code of the release that has the target; for a run that none has, the code at hand.

    Raises: Refused DP-L051 for a release whose code is in no commit, and not at hand either.
    """
    release = target.release
    if release is None:
        return Code(project.root, Path(sys.executable), "no release has it, so by the code at hand")
    if not release.is_dirty and release.commit:
        pinned = pin(project, release)
        own = "" if pinned.is_for_this_interpreter else ", with what its lock says"
        return Code(pinned.root, pinned.python, f"by the code of commit {release.commit[:12]}{own}")
    if code_digest_of(project.root) == release.code:
        return Code(project.root, Path(sys.executable), "by the code at hand, which is that of the release")
    raise Refused("DP-L051", release=release)
