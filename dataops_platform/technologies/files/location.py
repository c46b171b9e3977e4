"""Locations of the files that a user names: in the project, or in an installed package that is not imported."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from dataops_platform.kit.errors import UsedWrongly, did_you_mean

PACKAGE = "package://"


def locate(name: str, root: Path) -> Path:
    """Return the path of the file `name`: relative to `root`, or `package://<package>/<path>`.

    Raises: UsedWrongly DP-E001 when the file is missing, DP-E008 when its package is, DP-E007 when it lies outside the
    project, DP-E006 for an absolute path.
    """
    if Path(name).is_absolute():
        raise UsedWrongly("DP-E006", file=name)
    base, relative = (root, name) if not name.startswith(PACKAGE) else _package(name)
    path = (base / relative).resolve()
    if not path.is_relative_to(base.resolve()):
        raise UsedWrongly("DP-E007", file=name)
    if not path.is_file():
        names = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
        raise UsedWrongly("DP-E001", file=name, hint=did_you_mean(path.name, names))
    return path


def _package(name: str) -> tuple[Path, str]:
    package, _, relative = name.removeprefix(PACKAGE).partition("/")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise UsedWrongly("DP-E008", package=package)
    return Path(next(iter(spec.submodule_search_locations))), relative


def display_name(name: str) -> str:
    """Return the name of a file as data and messages show it: relative, never an absolute path."""
    return name.removeprefix(PACKAGE)
