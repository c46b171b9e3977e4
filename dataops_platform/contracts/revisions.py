"""Contracts as they were at a git revision, and waivers of breaking changes."""

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
    """Lets the breaking changes up to one version of a contract pass until a day: who allows it, and why."""

    contract: str
    version: str
    by: str
    why: str
    until: str


class WaiverFile(StrictModel):
    """The content of `contracts/waivers.yaml`."""

    waivers: list[Waiver] = []


def contracts_of(place: str, folder: Path) -> dict[str, Contract]:
    """The contracts by file name: one file, a folder of them, or `folder` as it was at a git revision.

    Raises: UsedWrongly DP-C018 for a place that is none of these; what `load_contract` raises.
    """
    path = Path(place)
    if path.is_file():
        return {path.name: load_contract(path)}
    if path.is_dir():
        return in_folder(path)
    listed = _git(folder, "ls-tree", "--name-only", place, "./", place=place).decode().splitlines()
    with tempfile.TemporaryDirectory() as kept:
        for name in listed:
            if name.endswith(SUFFIX):
                (Path(kept) / name).write_bytes(_git(folder, "show", f"{place}:./{name}", place=place))
        return in_folder(Path(kept))


def in_folder(folder: Path) -> dict[str, Contract]:
    """The contracts in a folder by file name."""
    return {path.name: load_contract(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}


def waivers_in(folder: Path, today: dt.date) -> list[Waiver]:
    """The waivers that still hold. Raises: UsedWrongly for a file that says something else."""
    return [waiver for waiver in _all_waivers(folder) if dt.date.fromisoformat(waiver.until) >= today]


def ended_waivers(folder: Path, today: dt.date) -> list[Waiver]:
    """The waivers that nothing heeds any more. Raises: UsedWrongly DP-C019."""
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
        said = getattr(error, "stderr", b"").decode(errors="replace").strip().splitlines()
        raise UsedWrongly(
            "DP-C018",
            place=place,
            folder=folder.name or folder,
            reason=said[0] if said else getattr(error, "strerror", error),
        ) from None
