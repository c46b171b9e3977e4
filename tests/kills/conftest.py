"""What the tests of this folder share: lakes as in tests/warehouse, processes that write and read, and their counts."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.warehouse.ducklake.attach import LakeLocation

_spec = importlib.util.spec_from_file_location("lakes", Path(__file__).parents[1] / "warehouse" / "lakes.py")
assert _spec and _spec.loader
_lakes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_lakes)

extensions, postgres, location = _lakes.extensions, _lakes.postgres, _lakes.location

HERE = Path(__file__).parent
COUNTS = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Processes:
    """Starts the programs of this folder on one lake."""

    location: LakeLocation

    def start(self, program: str, *arguments: object, faults: str = "") -> subprocess.Popen[str]:
        """Starts `child.py` or `reader.py`; comes back when it has opened the lake."""
        place = (self.location.catalog, self.location.data, str(self.location.extensions))
        child = subprocess.Popen(
            [sys.executable, str(HERE / program), *place, *map(str, arguments)],
            env={**os.environ, "DATAOPS_FAULTS": faults},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdout and child.stderr
        assert child.stdout.readline() == "begins\n", child.stderr.read()[-2000:]
        return child

    def run(self, first: int, last: int) -> list[str]:
        """The publications of undisturbed runs of these generations."""
        child = self.start("child.py", first, last)
        out, error = child.communicate(timeout=300)
        assert child.returncode == 0, error[-2000:]
        return out.split()

    def stop(self, reader: subprocess.Popen[str]) -> Any:
        """What a reader saw."""
        out, error = reader.communicate("\n", timeout=60)
        assert reader.returncode == 0, error[-2000:]
        return json.loads(out)


@pytest.fixture
def processes(location: LakeLocation) -> Processes:
    """Programs on the lake of this test."""
    return Processes(location)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, extensions: Path) -> Callable[[int], list[str]]:
    """The publications of the first generations in a lake where nobody dies."""
    folder, known = tmp_path_factory.mktemp("undisturbed"), list[str]()
    other = Processes(LakeLocation(f"sqlite:{folder}/lake.sqlite", f"{folder}/data", extensions))

    def publications(count: int) -> list[str]:
        if len(known) < count:
            known.extend(other.run(len(known) + 1, count))
        return known[:count]

    return publications


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a line at the end of the session."""
    return request.config.stash.setdefault(COUNTS, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what was counted."""
    for line in config.stash.get(COUNTS, []):
        terminalreporter.write_line(line)
