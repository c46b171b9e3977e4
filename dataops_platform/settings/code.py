"""The code of a project: the files that decide what its steps do, and the lock of what they run with."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from dataops_platform.kit.digests import digest_of, digest_of_file, digest_of_files
from dataops_platform.kit.paths import find_upward
from dataops_platform.settings.project import FILE_NAME

_GENERATED = frozenset({"__pycache__", "target", "logs", "dbt_packages"})


def code_files(root: Path) -> list[Path]:
    """Return `dataops.yaml`, `pyproject.toml`, and all files below `src`, `contracts` and the folders of dbt projects.

    Data, tests and documents do not decide what a step does. Files that tools generate beside the code are left out.
    """
    folders = [root / "src", root / "contracts", *sorted(path.parent for path in root.glob("*/dbt_project.yml"))]
    single_files = [root / FILE_NAME, root / "pyproject.toml"]
    return [path for path in single_files if path.is_file()] + [path for folder in folders for path in _below(folder)]


def code_digest_of(root: Path) -> str:
    """Return the digest of a project's code; equal files give equal digests in any folder on any machine."""
    return digest_of_files(root, code_files(root))


def lock_file(root: Path) -> Path | None:
    """Return the nearest `uv.lock` at or above a project, or None."""
    return find_upward("uv.lock", root)


def lock_digest(root: Path) -> str:
    """Return the digest of a project's lock; without a lock that of the packages installed here."""
    lock = lock_file(root)
    if lock is not None:
        return digest_of_file(lock)
    return installed_digest()


def installed_digest() -> str:
    """Return the digest of the names and versions of all packages of this interpreter."""
    return digest_of(sorted({f"{d.metadata['Name']}=={d.version}".lower() for d in distributions()}))


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_generated = any(part in _GENERATED or part.startswith(".") or part.endswith(".egg-info") for part in parts)
        if path.is_file() and not is_generated:
            yield path
