"""Questions to git about a project's folder."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from dataops_platform.kit.errors import SystemFailed


def git(folder: Path, *arguments: str) -> str:
    """Return what git prints when it runs in a folder; hooks are off. Raises: SystemFailed DP-L004 when git fails."""
    # quotepath: names come as they are, not escaped; hooksPath: reading a repository must not run its hooks
    command = ["git", "-c", "core.quotepath=off", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SystemFailed("DP-L072", reason=error.strerror) from error
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise SystemFailed("DP-L004", command=arguments[0], reason=lines[-1] if lines else done.returncode)
    return done.stdout


def commit_of(folder: Path) -> str:
    """Return the hash of the commit that is checked out; empty outside a repository."""
    try:
        return git(folder, "rev-parse", "--verify", "HEAD").strip()
    except SystemFailed:
        return ""


def uncommitted(folder: Path, *names: str) -> list[str]:
    """Return the files of a folder (or those among `names`) that differ from the commit that is checked out.

    Names count from the top of the repository. Outside a repository one sentence stands for all files.
    """
    try:
        listed = git(folder, "status", "--porcelain", "--untracked-files=all", "--", *(names or (".",)))
    except SystemFailed:
        return ["all files: this folder is in no git repository"]
    return [line[3:] for line in listed.splitlines()]


def has_commit(folder: Path, commit: str) -> bool:
    """Return whether the repository of a folder has a commit, given by its whole hash."""
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        return False
    try:
        git(folder, "cat-file", "-e", f"{commit}^{{commit}}")
    except SystemFailed:
        return False
    return True


def is_as_committed(path: Path) -> bool:
    """Return whether a file equals its version in the commit that is checked out; true where there is no commit."""
    if not commit_of(path.parent):
        return True
    try:
        return git(path.parent, "show", f"HEAD:./{path.name}") == path.read_text()
    except SystemFailed:
        return False
