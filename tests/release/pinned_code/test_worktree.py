"""Copies of a commit are restored, and nothing around them is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.git import commit_of
from dataops_platform.release.pinned_code.worktree import make_copy, restore_copy


def test_a_copy_that_lost_its_git_file_does_not_reset_the_repository_around_it(tmp_path: Path) -> None:
    who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    (tmp_path / "code.py").write_text("one")
    for command in (["init", "-q"], ["add", "--all"], [*who, "commit", "-qm", "one"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    commit = commit_of(tmp_path)
    copy = tmp_path / ".dataops" / "code" / commit
    make_copy(tmp_path, copy, commit)
    (copy / "code.py").write_text("changed")
    restore_copy(copy, commit, ".dataops")
    assert (copy / "code.py").read_text() == "one"
    (copy / ".git").unlink()
    (tmp_path / "code.py").write_text("work of somebody")
    with pytest.raises(SystemFailed, match="DP-R016"):
        restore_copy(copy, commit, ".dataops")
    assert (tmp_path / "code.py").read_text() == "work of somebody"
