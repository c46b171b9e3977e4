"""Copies of a commit beside the checkout: git worktrees, which also keep git from ever collecting that commit."""

from __future__ import annotations

import shutil
from pathlib import Path

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.git import git


def top_of(folder: Path) -> Path:
    """The top folder of the repository that holds a folder. Raises: SystemFailed DP-L004 where there is none."""
    return Path(git(folder, "rev-parse", "--show-toplevel").strip()).resolve()


def has_commit(folder: Path, commit: str) -> bool:
    """Whether the repository of a folder holds a commit."""
    try:
        return bool(git(folder, "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}"))
    except SystemFailed:
        return False


def make_copy(folder: Path, copy: Path, commit: str) -> None:
    """Makes `copy` a worktree of a commit, in place of whatever half of one is there."""
    if copy.exists():
        shutil.rmtree(copy)
    copy.parent.mkdir(parents=True, exist_ok=True)
    git(folder, "worktree", "add", "--force", "--detach", str(copy), commit)


def restore_copy(copy: Path, commit: str, keep: str) -> None:
    """Takes back what somebody changed in a worktree; folders called `keep` stay as they are.

    Raises: SystemFailed DP-R016 for a folder that is no worktree of its own: git would reset the repository around it.
    """
    if top_of(copy) != copy.resolve():
        raise SystemFailed("DP-R016", copy=copy.name)
    git(copy, "reset", "--hard", "--quiet", commit)
    git(copy, "clean", "-ffdxq", "-e", keep)
