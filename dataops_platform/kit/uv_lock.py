"""The packages in a `uv.lock`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataops_platform.kit.errors import UsedWrongly


def locked_packages(lock: Path) -> Sequence[Mapping[str, Any]]:
    """Return the packages of a lock, each with a `name`; none of an empty file.

    Raises: UsedWrongly DP-P012 for a file that is no TOML, DP-P013 for one whose packages are no list with names.
    """
    try:
        packages = tomllib.loads(lock.read_text(encoding="utf-8")).get("package", [])
    except ValueError as error:  # also what UnicodeDecodeError and TOMLDecodeError are
        raise UsedWrongly("DP-P012", file=lock.name, reason=str(error)) from error
    if not isinstance(packages, list) or not all(isinstance(p, dict) and "name" in p for p in packages):
        raise UsedWrongly("DP-P013", file=lock.name)
    return packages
