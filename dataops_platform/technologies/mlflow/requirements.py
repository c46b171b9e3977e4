"""The packages that a model needs, in the versions of the project's lock."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dataops_platform.kit.uv_lock import locked_packages
from dataops_platform.settings.code import lock_file


def locked_requirements(names: tuple[str, ...], root: Path) -> list[str]:
    """Return `name==version` for each name: from the nearest `uv.lock` at or above `root`, else as installed here.

    Raises: what `locked_packages` raises.
    """
    lock = lock_file(root)
    locked: dict[str, set[str]] = {}
    for package in locked_packages(lock) if lock else ():
        locked.setdefault(package["name"], set()).add(package.get("version", ""))
    chosen = {name: _version(locked.get(name, set()), _installed(name)) for name in names}
    return [f"{name}=={number}" for name, number in chosen.items() if number]


def installed_versions(names: tuple[str, ...]) -> list[str]:
    """Return `name==version` for each name, as installed here."""
    return [f"{name}=={_installed(name)}" for name in names]


def _version(locked: set[str], installed: str) -> str:
    """Return the locked version; the installed one where the lock has several, one for each Python."""
    return locked.copy().pop() if len(locked) == 1 else installed


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
