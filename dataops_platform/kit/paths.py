"""Where things are, without saying so in absolute paths."""

from __future__ import annotations

from pathlib import Path


def find_upward(name: str, start: Path) -> Path | None:
    """The nearest file called `name` in `start` or a folder above it."""
    for folder in (start, *start.parents):
        if (folder / name).is_file():
            return folder / name
    return None


def relative_to(path: Path, root: Path) -> str:
    """`path` as seen from `root` when it lies below it, else its last part."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
