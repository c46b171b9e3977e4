"""Writes whole text files."""

from __future__ import annotations

from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Makes a file say `text`, all of it or, whatever dies, what it said before; the renaming is the switch.

    UTF-8, lines as given; the folder is made. Raises: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(path)
