"""The interpreter of a release: this one while the lock is the same, else one made from the release's own lock."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.release.pinned_code.interpreter import has_interpreter, interpreter_for
from dataops_platform.settings.code import installed_digest, lock_digest
from dataops_platform.settings.environ import set_known_lock
from dataops_platform.settings.project import Project, load_project

LOCK = """version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "shop"
version = "0.1.0"
source = { virtual = "." }
"""
PYPROJECT = '[project]\nname = "shop"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
COMMIT = "c0ffee" * 6 + "beef"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without packages, locked."""
    return load_project(folder(tmp_path / "shop", LOCK))


def folder(path: Path, lock: str) -> Path:
    path.mkdir(parents=True)
    (path / "dataops.yaml").write_text("project: shop\nowner: team:sales\n")
    (path / "pyproject.toml").write_text(PYPROJECT)
    if lock:
        (path / "uv.lock").write_text(lock)
    return path


def copy_of(project: Project, lock: str) -> Path:
    """A pinned copy of the project, with a lock of its own."""
    return folder(project.state_dir / "code" / COMMIT, lock)


def test_the_same_lock_runs_with_this_interpreter(project: Project) -> None:
    assert interpreter_for(project, copy_of(project, LOCK), COMMIT) == Path(sys.executable)


def test_a_lock_that_is_edited_while_a_code_server_runs_changes_nothing_until_something_is_installed(
    project: Project,
) -> None:
    copy, edited = copy_of(project, LOCK), project.root / "uv.lock"
    set_known_lock(lock_digest(copy), installed_digest())
    edited.write_text(LOCK + "# edited\n")
    assert has_interpreter(project, copy, COMMIT)
    assert interpreter_for(project, copy, COMMIT) == Path(sys.executable)
    (copy / "uv.lock").write_text(LOCK + "# edited\n")
    assert not has_interpreter(project, copy, COMMIT), "a release of the edited lock does not run with this"
    set_known_lock(lock_digest(edited.parent), "sha256:what was installed before")
    assert has_interpreter(project, copy, COMMIT), "after an installation the lock of the checkout counts"
    (copy / "uv.lock").write_text(LOCK)
    assert not has_interpreter(project, copy, COMMIT)


def test_a_copy_without_a_lock_runs_with_this_interpreter(project: Project) -> None:
    assert interpreter_for(project, copy_of(project, ""), COMMIT) == Path(sys.executable)


def test_another_lock_gets_an_environment_of_its_own_once(project: Project) -> None:
    if shutil.which("uv", path=str(Path(sys.executable).parent)) is None and shutil.which("uv") is None:
        pytest.skip("no uv: pip install uv")
    copy = copy_of(project, LOCK + "# newer\n")
    python = interpreter_for(project, copy, COMMIT)
    assert python.parents[2] == project.state_dir / "environments"
    prefix = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert prefix.stdout.strip() == str(python.parents[1])
    before = python.lstat()
    assert (interpreter_for(project, copy, COMMIT), python.lstat()) == (python, before)
    (python.parents[1] / "made-for-release").unlink()
    assert interpreter_for(project, copy, COMMIT) == python, "one that was only half made is made whole"


def test_the_environment_made_for_a_release_knows_itself(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copy_of(project, LOCK + "# newer\n")
    here = interpreter_for(project, copy, COMMIT).parents[1]
    monkeypatch.setattr(sys, "prefix", str(here))
    monkeypatch.setattr(sys, "executable", str(here / "bin" / "python"))
    assert interpreter_for(project, copy, COMMIT) == here / "bin" / "python"


def test_packages_from_folders_of_the_repository_are_those_of_the_commit(project: Project) -> None:
    lock = LOCK + '\n[[package]]\nname = "beside"\nversion = "1"\nsource = { virtual = "beside" }\n'
    copy = copy_of(project, lock)
    (copy / "beside").mkdir()
    (copy / "beside" / "pyproject.toml").write_text(PYPROJECT.replace("shop", "beside"))
    assert interpreter_for(project, copy, COMMIT).parents[1].name.endswith(f"-{COMMIT[:12]}")


@pytest.mark.journey
def test_when_neither_uv_nor_pip_can_make_it_both_are_heard(project: Project) -> None:
    copy = copy_of(project, LOCK.replace("3.11", "99"))
    (copy / "pyproject.toml").write_text(
        PYPROJECT.replace("3.11", "99") + '[build-system]\nrequires = []\nbuild-backend = "nothing"\n'
    )
    with pytest.raises(SystemFailed) as caught:
        interpreter_for(project, copy, COMMIT)
    assert caught.value.code == "DP-R013"
    assert "uv: " in caught.value.message
    assert "python: " in caught.value.message
    assert not list((project.state_dir / "environments").glob("*/made-for-release"))
