"""Contracts as of a git revision, and waivers of breaking changes."""

from __future__ import annotations

import datetime as dt
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.validation import StrictModel, validate
from dataops_platform.kit.yaml_file import read_yaml

SUFFIX = ".odcs.yaml"
WAIVERS = "waivers.yaml"


class Waiver(StrictModel):
    """Lets the breaking changes up to one version of a contract pass until a day; names who allows it and why."""

    contract: str
    version: str
    by: str
    why: str
    until: str


class WaiverFile(StrictModel):
    """The content of `contracts/waivers.yaml`."""

    waivers: list[Waiver] = []


def contracts_at(place: str, folder: Path) -> dict[str, Contract]:
    """Return contracts by file name: of one file, of a folder, or of `folder` as of a git revision.

    Raises: UsedWrongly DP-C018 for a place that is none of these; what `load_contract` raises.
    """
    path = Path(place)
    if path.is_file():
        return {path.name: load_contract(path)}
    if path.is_dir():
        return contracts_in(path)
    listed = _git(folder, "ls-tree", "--name-only", place, "./", place=place).decode().splitlines()
    with tempfile.TemporaryDirectory() as copies:  # the parser reads files, so that messages can name lines
        for name in listed:
            if name.endswith(SUFFIX):
                (Path(copies) / name).write_bytes(_git(folder, "show", f"{place}:./{name}", place=place))
        return contracts_in(Path(copies))


def contracts_in(folder: Path) -> dict[str, Contract]:
    """Return the contracts in a folder by file name."""
    return {path.name: load_contract(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}


def waivers_in(folder: Path, today: dt.date) -> list[Waiver]:
    """Return the waivers that are still valid. Raises: UsedWrongly for an invalid file."""
    return [waiver for waiver in _all_waivers(folder) if dt.date.fromisoformat(waiver.until) >= today]


def expired_waivers(folder: Path, today: dt.date) -> list[Waiver]:
    """Return the waivers that have expired. Raises: UsedWrongly DP-C019."""
    return [waiver for waiver in _all_waivers(folder) if dt.date.fromisoformat(waiver.until) < today]


def _all_waivers(folder: Path) -> list[Waiver]:
    path = folder / WAIVERS
    if not path.exists():
        return []
    file = read_yaml(path)
    found = validate(WaiverFile, file).waivers
    for index, waiver in enumerate(found):
        try:
            dt.date.fromisoformat(waiver.until)
        except ValueError:
            place = file.place(("waivers", index, "until"))
            raise UsedWrongly("DP-C019", place=place, until=waiver.until) from None
    return found


def _git(folder: Path, *arguments: str, place: str) -> Any:
    try:
        return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True).stdout  # noqa: S607
    except (OSError, subprocess.CalledProcessError) as error:
        output = getattr(error, "stderr", b"").decode(errors="replace").strip().splitlines()
        raise UsedWrongly(
            "DP-C018",
            place=place,
            folder=folder.name or folder,
            reason=output[0] if output else getattr(error, "strerror", error),
        ) from None
