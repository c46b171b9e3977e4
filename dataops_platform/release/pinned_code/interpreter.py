"""The interpreter that a release runs with: this one where the lock is the same, else one made from its lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from dataops_platform.kit.digests import digest_of_file, short
from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.text_file import write_text
from dataops_platform.settings.code import installed_digest, lock_file
from dataops_platform.settings.environ import known_lock, variables_with
from dataops_platform.settings.project import Project

ENVIRONMENTS = "environments"
"""In the state folder of a project, the folder of the environments that were made for its releases."""
MADE = "made-for-release"
"""In such an environment, the file that says it is whole; written last."""


@dataclass(frozen=True)
class Locked:
    """A lock and what is installed by it. `local`: the packages it takes from folders, but the project itself."""

    file: Path
    name: str
    local: Sequence[Path]
    versions: Mapping[str, str]


def interpreter_for(project: Project, root: Path, commit: str) -> Path:
    """The interpreter for a copy of the project at `root`; made when there is none with what its lock says.

    A copy without a lock of its own runs with this one. Raises: SystemFailed DP-R013 when none can be made.
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
    """Whether `interpreter_for` would give one without making it."""
    locked = _locked(root, commit, project)
    return locked is None or _is_this(locked, project) or (_folder(project) / locked.name / MADE).is_file()


def start_again(python: Path, arguments: Sequence[str]) -> NoReturn:
    """Becomes another interpreter, in this process: same number, same terminal. The switch is the system's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(python, [str(python), *arguments])  # noqa: S606 - a list, no shell


def _locked(root: Path, commit: str, project: Project) -> Locked | None:
    file = lock_file(root)
    if file is None or file.parent in project.home.parents or file.parent == project.home:
        return None
    packages = tomllib.loads(file.read_text(encoding="utf-8")).get("package", [])
    folders = [file.parent / folder for package in packages for folder in _folder_of(package)]
    local = [folder for folder in folders if folder.resolve() != root.resolve()]
    versions: dict[str, list[str]] = {}
    for package in packages:
        if "version" in package and not list(_folder_of(package)):
            versions.setdefault(package["name"], []).append(package["version"])
    name = short(digest_of_file(file), 16)
    return Locked(
        file,
        f"{name}-{commit[:12]}" if local else name,  # what lies in the repository is as the commit has it
        local,
        {package: found[0] for package, found in versions.items() if len(found) == 1},
    )


def _folder_of(package: Mapping[str, Any]) -> Iterator[str]:
    source = package.get("source", {})
    yield from (source[kind] for kind in ("editable", "directory", "virtual") if kind in source)


def _is_this(locked: Locked, project: Project) -> bool:
    """Whether this interpreter has what a lock says: it was made for it, or for a checkout with the same lock.

    A checkout's lock may be edited while a code server runs. The lock that the server began with counts in its runs, as
    long as nothing was installed since.
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
    """With uv from the lock; without uv, with pip and the versions of the lock. What is there already is used on."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{variables_with().get('PATH', '')}")
    said = []
    if uv is not None:
        command = [uv, "sync", "--locked", "--no-dev", "--no-editable", "--no-install-project", "--quiet"]
        said.append(_said(command, root, UV_PROJECT_ENVIRONMENT=str(folder), UV_PYTHON=sys.executable))
        if said[-1] is None:
            return
    constraints = folder.with_name(f"{folder.name}.txt")
    write_text(constraints, "".join(f"{name}=={version}\n" for name, version in sorted(locked.versions.items())))
    packages = [str(path) for path in (*locked.local, root)]
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(_python(folder)), "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *packages],
    ):
        said.append(_said(command, root))
        if said[-1] is not None:
            raise SystemFailed("DP-R013", reason="; ".join(s for s in said if s), folder=folder.name)


def _said(command: Sequence[str], folder: Path, **variables: str) -> str | None:
    """None when a command did its work, else the last thing it said."""
    env = variables_with(**variables)
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{Path(command[0]).name}: {error.strerror}"
    words = " ".join((done.stderr or done.stdout).split())
    return f"{Path(command[0]).name}: {words[-300:]}" if done.returncode else None
