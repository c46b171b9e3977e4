"""Anchors: the hashes of a ledger's events, written to a file outside the lake.

A ledger that was rewritten as a whole has hashes that agree with each other, but not with its anchors. Each environment
has one file, with one line for each event, appended after the commit. A process that dies between commit and append
leaves an event without an anchor, which is no fault. An anchor without its event is a fault.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dataops_platform.kit.digests import canonical_json
from dataops_platform.kit.errors import SystemFailed
from dataops_platform.warehouse.state import State

_SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Anchor:
    """The hash that event `sequence` of an environment had. `where` names the place of this record."""

    environment: str
    sequence: int
    hash: str
    where: str


@contextmanager
def opened(folder: Path | None, environment: str) -> Iterator[Callable[[State], None]]:
    """Open the anchors of an environment and yield a function that anchors the last event of a state.

    Without a folder the function does nothing. The file is opened before anything is committed, so that a file that
    cannot be written stops the commit.
    Raises: SystemFailed DP-L041 when the file cannot be opened; DP-L082 from the function.
    """
    if folder is None:
        yield lambda _: None
        return
    path = folder / f"{environment}{_SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    except OSError as error:
        raise SystemFailed("DP-L041", file=path.name, reason=error.strerror) from error
    try:
        yield lambda state: _append(file, path, state)
    finally:
        os.close(file)


def _append(file: int, path: Path, state: State) -> None:
    line = canonical_json({"environment": state.environment, "hash": state.hash, "sequence": state.sequence}) + "\n"
    try:
        size = os.fstat(file).st_size
        torn = size and os.pread(file, 1, size - 1) != b"\n"  # the machine lost power while it wrote the last line
        os.write(file, (("\n" if torn else "") + line).encode())
    except OSError as error:
        raise SystemFailed("DP-L082", file=path.name, reason=error.strerror, event=state.sequence) from error


def read(folder: Path | None, environment: str) -> list[Anchor]:
    """Return the anchors of an environment in the order they were written.

    A last line without its line end is left out: its writer died.
    Raises: SystemFailed DP-L043 for a line that is no anchor.
    """
    path = folder / f"{environment}{_SUFFIX}" if folder else None
    if path is None or not path.exists():
        return []
    lines = path.read_text().splitlines()
    whole = lines if path.read_bytes().endswith(b"\n") else lines[:-1]
    found = []
    for number, line in enumerate(filter(None, whole), 1):
        try:
            written = json.loads(line)
            found.append(Anchor(written["environment"], int(written["sequence"]), written["hash"], path.name))
        except (ValueError, KeyError, TypeError):
            raise SystemFailed("DP-L043", line=number, file=path.name) from None
    return found


def remove(folder: Path | None, environment: str) -> None:
    """Delete the anchors of an environment."""
    if folder is not None:
        (folder / f"{environment}{_SUFFIX}").unlink(missing_ok=True)


def environments(folder: Path | None) -> list[str]:
    """Return the environments that have anchors, sorted by name."""
    return sorted(path.stem for path in folder.glob(f"*{_SUFFIX}")) if folder and folder.is_dir() else []
