"""Copies of a commit as git worktrees, which also keep git from garbage-collecting the commit."""

from __future__ import annotations

import shutil
from pathlib import Path

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.git import git


def top_of(folder: Path) -> Path:
    """Return the top folder of a folder's repository. Raises: SystemFailed DP-L004 outside a repository."""
    return Path(git(folder, "rev-parse", "--show-toplevel").strip()).resolve()


def make_copy(folder: Path, copy: Path, commit: str) -> None:
    """Make `copy` a worktree of a commit. An incomplete copy is replaced."""
    if copy.exists():
        shutil.rmtree(copy)
    copy.parent.mkdir(parents=True, exist_ok=True)
    git(folder, "worktree", "add", "--force", "--detach", str(copy), commit)


def restore_copy(copy: Path, commit: str, keep: str) -> None:
    """Revert all changes in a worktree, except folders called `keep`.

    Raises: SystemFailed DP-R016 for a folder that is no worktree: git would reset the repository around it.
    """
    if top_of(copy) != copy.resolve():
        raise SystemFailed("DP-R016", copy=copy.name)
    git(copy, "reset", "--hard", "--quiet", commit)
    git(copy, "clean", "-ffdxq", "-e", keep)
