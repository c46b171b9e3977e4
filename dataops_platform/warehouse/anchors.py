"""Anchors: which event had which hash, written down outside the lake.

A ledger can be rewritten as a whole so that its hashes agree again; then it no longer agrees with its anchors.
One file an environment, one line an event, appended after the commit. A process that dies between the two leaves an
event without an anchor, which is no fault; an anchor without its event is one.
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
    """Event `sequence` of an environment had this hash; `where` says who remembers that."""

    environment: str
    sequence: int
    hash: str
    where: str


@contextmanager
def opened(folder: Path | None, environment: str) -> Iterator[Callable[[State], None]]:
    """A function that anchors the last event of a state; without a folder it does nothing.

    The file is opened first, so that one that cannot be written is told before anything is committed.
    Raises: SystemFailed DP-L041; DP-L082 from the function.
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
        torn = size and os.pread(file, 1, size - 1) != b"\n"  # a machine that lost its power
        os.write(file, (("\n" if torn else "") + line).encode())
    except OSError as error:
        raise SystemFailed("DP-L082", file=path.name, reason=error.strerror, event=state.sequence) from error


def read(folder: Path | None, environment: str) -> list[Anchor]:
    """The anchors of an environment, in the order they were written. Raises: SystemFailed DP-L043 for other lines."""
    path = folder / f"{environment}{_SUFFIX}" if folder else None
    if path is None or not path.exists():
        return []
    lines = path.read_text().splitlines()
    whole = lines if path.read_bytes().endswith(b"\n") else lines[:-1]
    found = []
    for number, line in enumerate(filter(None, whole), 1):
        try:
            said = json.loads(line)
            found.append(Anchor(said["environment"], int(said["sequence"]), said["hash"], path.name))
        except (ValueError, KeyError, TypeError):
            raise SystemFailed("DP-L043", line=number, file=path.name) from None
    return found


def remove(folder: Path | None, environment: str) -> None:
    """Forgets the anchors of an environment."""
    if folder is not None:
        (folder / f"{environment}{_SUFFIX}").unlink(missing_ok=True)


def environments(folder: Path | None) -> list[str]:
    """The environments that have anchors."""
    return sorted(path.stem for path in folder.glob(f"*{_SUFFIX}")) if folder and folder.is_dir() else []
