"""Paths as seen from a project: searched upward, shown relative."""

from __future__ import annotations

from pathlib import Path


def find_upward(name: str, start: Path) -> Path | None:
    """Return the nearest file called `name` in `start` or a folder above it, or None."""
    for folder in (start, *start.parents):
        if (folder / name).is_file():
            return folder / name
    return None


def relative_to(path: Path, root: Path) -> str:
    """Return `path` relative to `root` when it lies below it, else its last part."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
