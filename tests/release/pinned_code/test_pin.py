"""Pinned code: a copy of a release's commit, whole or not there, whatever is checked out and whoever dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dataops_platform.kit.errors import Refused
from dataops_platform.release.build import freeze
from dataops_platform.release.pinned_code.pin import pin, pinned_project
from dataops_platform.release.release import Release
from dataops_platform.settings.code import code_digest_of
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.command_line import commit_all, git
from tests.fixtures.lakes import session_of

FUNCTION = "src/orders_project/cleaning.py"


@pytest.fixture
def release(in_git: Path) -> Release:
    """A release of the small project, built in dev."""
    return frozen(in_git)


def frozen(folder: Path) -> Release:
    project = load_project(folder)
    with lake_of(project) as lake:
        return freeze(session_of(project, lake), lake.state("dev").cut)


def test_the_copy_is_of_the_releases_commit_whatever_is_checked_out(in_git: Path, release: Release) -> None:
    (in_git / FUNCTION).write_text("# a later thought\n")
    commit_all(in_git, "Later")
    (in_git / FUNCTION).write_text("# half a thought\n")
    copy = pin(load_project(in_git, "prod"), release)
    assert (copy.root, copy.python) == (in_git / ".dataops" / "code" / release.commit, Path(sys.executable))
    assert "strip_chars" in (copy.root / FUNCTION).read_text()
    assert code_digest_of(copy.root) == release.code
    assert (git(copy.root, "status", "--porcelain"), git(copy.root, "rev-parse", "HEAD")) == ("", release.commit)
    project = load_project(copy.root, "prod")
    assert (project.root, project.home) == (copy.root, in_git), "state stays in the project's own folder"


def test_a_project_inside_a_larger_repository_is_found_in_the_copy(tmp_path: Path, published: Path) -> None:
    (tmp_path / "examples").mkdir()
    project = published.rename(tmp_path / "examples" / "orders")
    (tmp_path / ".gitignore").write_text(".dataops/\n")
    git(tmp_path, "init", "--quiet")
    commit = commit_all(tmp_path, "As it stands")
    loaded = load_project(project)
    release = a_release(commit, code_digest_of(project))
    assert pin(loaded, release).root == project / ".dataops" / "code" / commit / "examples" / "orders"


def test_a_second_call_makes_nothing_and_what_was_changed_in_the_copy_is_taken_back(
    in_git: Path, release: Release
) -> None:
    project = load_project(in_git, "prod")
    root = pin(project, release).root
    before = (root / FUNCTION).stat()
    assert (pin(project, release).root, (root / FUNCTION).stat()) == (root, before)
    (root / FUNCTION).write_text("raise SystemExit\n")
    (root / "src" / "orders_project" / "more.py").write_text("raise SystemExit\n")
    pin(project, release)
    assert code_digest_of(root) == release.code


@pytest.mark.kills
@pytest.mark.parametrize("fault", ["pin.before_write", "pin.before_mark", "pin.after_mark"])
def test_a_process_killed_half_way_leaves_what_the_next_one_makes_whole(
    fault: str, in_git: Path, release: Release
) -> None:
    said = in_a_process(in_git, release.id, DATAOPS_FAULTS=fault)
    assert said.returncode == -9, said.stderr
    assert code_digest_of(pin(load_project(in_git, "prod"), release).root) == release.code
    assert len(git(in_git, "worktree", "list").splitlines()) == 2


def test_a_copy_without_its_mark_is_made_again(in_git: Path, release: Release) -> None:
    project = load_project(in_git, "prod")
    root = pin(project, release).root
    (root / ".dataops" / "home").unlink()
    (root / FUNCTION).unlink()
    assert code_digest_of(pin(project, release).root) == release.code


@pytest.mark.races
def test_two_processes_at_once_make_one_copy(in_git: Path, release: Release) -> None:
    both = [started(in_git, release.id) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(git(in_git, "worktree", "list").splitlines()) == 2
    assert code_digest_of(in_git / ".dataops" / "code" / release.commit) == release.code


def test_a_hook_of_the_user_does_not_run(in_git: Path, release: Release) -> None:
    hook = in_git / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {in_git}/ran\n")
    hook.chmod(0o755)
    pin(load_project(in_git, "prod"), release)
    assert not (in_git / "ran").exists()


def test_a_release_that_no_commit_has_is_refused(in_git: Path) -> None:
    (in_git / FUNCTION).write_text((in_git / FUNCTION).read_text() + "\n")
    assert refused(in_git, frozen(in_git)) == "DP-R010"


def test_a_commit_that_is_not_here_is_refused(in_git: Path, release: Release) -> None:
    assert refused(in_git, a_release("0" * 40, release.code)) == "DP-R011"


def test_a_commit_with_other_code_than_the_release_is_refused(in_git: Path, release: Release) -> None:
    (in_git / ".gitignore").write_text(".dataops/\n__pycache__/\nsecret.py\n")
    (in_git / "src" / "orders_project" / "secret.py").write_text("KEY = 1\n")
    commit = commit_all(in_git, "A file that git does not see decides what is done")
    assert refused(in_git, a_release(commit, code_digest_of(in_git))) == "DP-R012"


def test_a_release_whose_settings_do_not_know_the_environment_is_refused(in_git: Path) -> None:
    text = (in_git / "dataops.yaml").read_text()
    (in_git / "dataops.yaml").write_text(text.replace("  prod:", "  production:"))
    commit = commit_all(in_git, "Another name")
    release = a_release(commit, code_digest_of(in_git))
    (in_git / "dataops.yaml").write_text(text)
    assert refused(in_git, release) == "DP-R014"
    (in_git / "dataops.yaml").write_text(text.replace("  prod: {from: staging, ", "  prod: {"))
    release = a_release(commit_all(in_git, "Unguarded"), code_digest_of(in_git))
    (in_git / "dataops.yaml").write_text(text)
    assert refused(in_git, release) == "DP-R014"


def test_an_environment_that_shows_no_release_runs_what_is_checked_out(in_git: Path) -> None:
    project = load_project(in_git, "prod")
    with lake_of(project) as lake:
        assert pinned_project(project, lake) == project


def refused(project: Path, release: Release) -> str:
    with pytest.raises(Refused) as caught:
        pin(load_project(project, "prod"), release)
    return caught.value.code


def a_release(commit: str, code: str) -> Release:
    from dataops_platform.manifests.cut import Cut

    return Release("orders", commit, False, code, "", "", "", {}, Cut(()))


PIN = """
import sys
from pathlib import Path
from dataops_platform.release.pinned_code.pin import pin
from dataops_platform.release.release import find_release
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

project = load_project(Path(sys.argv[1]), "prod")
with lake_of(project, read_only=True) as lake:
    release = find_release(lake, sys.argv[2])
pin(project, release)
"""


def started(project: Path, release: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PIN, str(project), release])


def in_a_process(project: Path, release: str, **variables: str) -> subprocess.CompletedProcess[str]:
    from dataops_platform.settings.environ import variables_with

    command = [sys.executable, "-c", PIN, str(project), release]
    return subprocess.run(command, env=variables_with(**variables), capture_output=True, text=True, check=False)
