"""Text files, written whole."""

from __future__ import annotations

from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Replace a file's content by `text`, whole or not at all, whatever dies. The rename is the switch.

    UTF-8, line ends as given. Creates the folder. Raises: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(path)
