"""What git knows of a project's folder."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from dataops_platform.kit.errors import SystemFailed


def git(folder: Path, *arguments: str) -> str:
    """What git prints in a folder; no hook of the user runs. Raises: SystemFailed DP-L004 when it fails."""
    command = ["git", "-c", "core.quotepath=off", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SystemFailed("DP-L072", reason=error.strerror) from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise SystemFailed("DP-L004", command=arguments[0], reason=said[-1] if said else done.returncode)
    return done.stdout


def commit_of(folder: Path) -> str:
    """The commit that is checked out; empty where there is none."""
    try:
        return git(folder, "rev-parse", "--verify", "HEAD").strip()
    except SystemFailed:
        return ""


def uncommitted(folder: Path, *names: str) -> list[str]:
    """Files of a folder (or these of them) that differ from the commit that is checked out; all where there is no git.

    As git names them: from the top of its repository.
    """
    try:
        listed = git(folder, "status", "--porcelain", "--untracked-files=all", "--", *(names or (".",)))
    except SystemFailed:
        return ["all files: this folder is in no git repository"]
    return [line[3:] for line in listed.splitlines()]


def has_commit(folder: Path, commit: str) -> bool:
    """Whether the repository of a folder has a commit, given by its whole hash."""
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        return False
    try:
        git(folder, "cat-file", "-e", f"{commit}^{{commit}}")
    except SystemFailed:
        return False
    return True


def is_as_committed(path: Path) -> bool:
    """Whether a file says what the commit that is checked out has of it; yes where there is no commit at all."""
    if not commit_of(path.parent):
        return True
    try:
        return git(path.parent, "show", f"HEAD:./{path.name}") == path.read_text()
    except SystemFailed:
        return False
