"""Processes that write and read, and their counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.warehouse.attach import LakeLocation

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Processes:
    """Starts the programs of this folder on one lake."""

    forks: Any
    location: LakeLocation

    def start(self, program: str, *arguments: object, faults: str = "") -> Any:
        """Starts `child.py` or `reader.py`; comes back when it has opened the lake."""
        place = (self.location.catalog, self.location.data, self.location.extensions)
        child = self.forks.start([HERE / program, *place, *arguments], DATAOPS_FAULTS=faults)
        assert child.stdout.readline() == "begins\n", child.communicate()
        return child

    def run(self, first: int, last: int) -> list[str]:
        """The publications of undisturbed runs of these generations."""
        child = self.start("child.py", first, last)
        out, error = child.communicate()
        assert child.returncode == 0, error[-2000:]
        return list(out.split())

    def stop(self, reader: Any) -> Any:
        """What a reader saw."""
        out, error = reader.communicate("\n")
        assert reader.returncode == 0, error[-2000:]
        return json.loads(out)


@pytest.fixture
def processes(forks: Any, location: LakeLocation) -> Processes:
    """Programs on the lake of this test."""
    return Processes(forks, location)


@pytest.fixture(scope="session")
def undisturbed(forks: Any, tmp_path_factory: pytest.TempPathFactory, extensions: Path) -> Callable[[int], list[str]]:
    """The publications of the first generations in a lake where nobody dies."""
    folder, known = tmp_path_factory.mktemp("undisturbed"), list[str]()
    other = Processes(forks, LakeLocation(f"sqlite:{folder}/lake.sqlite", f"{folder}/data", extensions))

    def publications(count: int) -> list[str]:
        if len(known) < count:
            known.extend(other.run(len(known) + 1, count))
        return known[:count]

    return publications
