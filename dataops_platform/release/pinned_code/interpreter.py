"""The interpreter of a release: the present one if it fits the release's lock, else one created from that lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from dataops_platform.kit.digests import digest_of_file, short
from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.text_file import write_text
from dataops_platform.kit.uv_lock import locked_packages
from dataops_platform.settings.code import installed_digest, lock_file
from dataops_platform.settings.environ import known_lock, variables_with
from dataops_platform.settings.project import Project

ENVIRONMENTS = "environments"
"""The folder of the virtual environments of releases, in the state folder of a project."""
MADE = "made-for-release"
"""The file that marks such a virtual environment as complete. It is written last."""


@dataclass(frozen=True)
class Locked:
    """A lock file and its packages. `local` are the folders of packages that it takes from folders, except the project.

    `name` identifies the virtual environment. `versions` has the other packages that the lock has in one version only.
    """

    file: Path
    name: str
    local: Sequence[Path]
    versions: Mapping[str, str]


def interpreter_for(project: Project, root: Path, commit: str) -> Path:
    """Return the interpreter for a copy of the project at `root`, which is created if none fits the copy's lock.

    A copy without a lock of its own runs in the present interpreter.
    Raises: SystemFailed DP-R013 when none can be created.
    """
    locked = _locked(root, commit, project)
    if locked is None or _is_this(locked, project):
        return Path(sys.executable)
    folder = _folder(project) / locked.name
    if not (folder / MADE).is_file():
        from filelock import FileLock

        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock")):
            if not (folder / MADE).is_file():
                _make(folder, root, locked)
                write_text(folder / MADE, f"{locked.name}\n")
    return _python(folder)


def has_interpreter(project: Project, root: Path, commit: str) -> bool:
    """Return whether `interpreter_for` returns an interpreter without creating one."""
    locked = _locked(root, commit, project)
    return locked is None or _is_this(locked, project) or (_folder(project) / locked.name / MADE).is_file()


def start_again(python: Path, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by another interpreter, with the same process id and terminal. Does not return."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(python, [str(python), *arguments])  # noqa: S606 - a list, no shell


def _locked(root: Path, commit: str, project: Project) -> Locked | None:
    file = lock_file(root)
    if file is None or file.parent in project.home.parents or file.parent == project.home:
        return None
    packages = locked_packages(file)
    folders = [file.parent / folder for package in packages for folder in _folder_of(package)]
    local = [folder for folder in folders if folder.resolve() != root.resolve()]
    versions: dict[str, list[str]] = {}
    for package in packages:
        if "version" in package and not list(_folder_of(package)):
            versions.setdefault(package["name"], []).append(package["version"])
    name = short(digest_of_file(file), 16)
    return Locked(
        file,
        f"{name}-{commit[:12]}" if local else name,  # packages in the repository differ from commit to commit
        local,
        {package: found[0] for package, found in versions.items() if len(found) == 1},
    )


def _folder_of(package: Mapping[str, Any]) -> Iterator[str]:
    source = package.get("source", {})
    yield from (source[kind] for kind in ("editable", "directory", "virtual") if kind in source)


def _is_this(locked: Locked, project: Project) -> bool:
    """Return whether this interpreter fits a lock: it was created from it, or belongs to a checkout with an equal lock.

    A checkout's lock may be edited while a code server runs. In the server's runs the lock with which it started counts
    as long as nothing was installed since.
    """
    here = Path(sys.prefix)
    if here.parent == _folder(project):
        return here.name == locked.name
    lock = digest_of_file(locked.file)
    known, installed = known_lock()
    if known and installed == installed_digest():
        return known == lock
    own = lock_file(project.home)
    return own is not None and digest_of_file(own) == lock


def _folder(project: Project) -> Path:
    return project.state_dir.resolve() / ENVIRONMENTS


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make(folder: Path, root: Path, locked: Locked) -> None:
    """Create a virtual environment with uv from the lock, or else with pip and the lock's versions.

    An incomplete one is completed. Raises: SystemFailed DP-R013.
    """
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{variables_with().get('PATH', '')}")
    failures = []
    if uv is not None:
        command = [uv, "sync", "--locked", "--no-dev", "--no-editable", "--no-install-project", "--quiet"]
        failures.append(_failure_of(command, root, UV_PROJECT_ENVIRONMENT=str(folder), UV_PYTHON=sys.executable))
        if failures[-1] is None:
            return
    constraints = folder.with_name(f"{folder.name}.txt")
    write_text(constraints, "".join(f"{name}=={version}\n" for name, version in sorted(locked.versions.items())))
    packages = [str(path) for path in (*locked.local, root)]
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(_python(folder)), "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *packages],
    ):
        failures.append(_failure_of(command, root))
        if failures[-1] is not None:
            raise SystemFailed("DP-R013", reason="; ".join(s for s in failures if s), folder=folder.name)


def _failure_of(command: Sequence[str], folder: Path, **variables: str) -> str | None:
    """Run a command, and return None when it succeeds, else the end of its output."""
    env = variables_with(**variables)
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{Path(command[0]).name}: {error.strerror}"
    words = " ".join((done.stderr or done.stdout).split())
    return f"{Path(command[0]).name}: {words[-300:]}" if done.returncode else None
