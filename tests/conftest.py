"""Shared by all tests: where things are, a small project made by hand, and the command line run on it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from dataops_platform.warehouse.ducklake import attach

ROOT = Path(__file__).parent.parent
ORDERS = ROOT / "tests" / "projects" / "orders"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def flights(root: Path) -> Path:
    """The example project, as it stands in the repository; not to be written to."""
    return root / "examples" / "flights"


@pytest.fixture
def orders(tmp_path: Path, run_once: Path) -> Path:
    """A project of its own with two raw files, one mart and a publication; nothing has run yet."""
    shutil.copytree(ORDERS, tmp_path / "orders")
    return _with_extensions_of(run_once, tmp_path / "orders")


@pytest.fixture
def published(tmp_path: Path, run_once: Path) -> Path:
    """The same project, after its first run."""
    shutil.copytree(run_once, tmp_path / "orders", ignore=shutil.ignore_patterns("extensions"))
    return _with_extensions_of(run_once, tmp_path / "orders")


@pytest.fixture
def guest(tmp_path: Path, run_once: Path) -> Path:
    """The project of a team that has an asset of its own; nothing has run yet."""
    shutil.copytree(ORDERS.with_name("guest"), tmp_path / "guest")
    return _with_extensions_of(run_once, tmp_path / "guest")


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, run once for all workers of this session; copied, never written to."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with FileLock(folder / "run_once.lock"):
        target = folder / "run_once" / "orders"
        if not target.exists():
            shutil.copytree(ORDERS, target)
            said = run_dataops(target, "run", "--json")
            if said.exit_code:
                shutil.rmtree(target)
                pytest.fail(said.out + said.err)
            (folder / "run_once" / "said.json").write_text(said.out)
    return target


@pytest.fixture
def first_run(run_once: Path) -> Any:
    """What that run said, as JSON."""
    return json.loads((run_once.parent / "said.json").read_text())


def _with_extensions_of(other: Path, project: Path) -> Path:
    """Gives a project the extensions of another: 70 MB that a test need not write."""
    (project / ".dataops").mkdir(exist_ok=True)
    (project / ".dataops" / "extensions").symlink_to(other / ".dataops" / "extensions", target_is_directory=True)
    return project


@pytest.fixture(scope="session", autouse=True)
def unchecked_extensions() -> Iterator[None]:
    """Spares these tests the check of the extensions' signatures, a fifth of a second of each connection.

    What starts processes (journeys, kills) has it done; `tests/warehouse/test_open.py` holds that it is done.
    """
    attach.OPTIONS["allow_unsigned_extensions"] = True
    yield
    del attach.OPTIONS["allow_unsigned_extensions"]


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Leaves the environment variables as they were; the platform sets some for the processes it starts."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """Everything printed, on one line."""
        return " ".join((self.out + self.err).split())


@pytest.fixture
def dataops(tmp_path: Path) -> Callable[..., Said]:
    """Runs `dataops ARGUMENTS` in this process, on the small project in the test's own folder."""
    return lambda *arguments: run_dataops(tmp_path / "orders", *arguments)


@pytest.fixture
def dataops_in() -> Callable[[Path], Callable[..., Said]]:
    """Runs `dataops ARGUMENTS` in this process, on the project in a folder."""
    return lambda project: lambda *arguments: run_dataops(project, *arguments)


def run_dataops(project: Path, *arguments: str) -> Said:
    """Runs the command line in this process and leaves the process as it was."""
    from dataops_platform.cli.main import app

    before, path = dict(os.environ), list(sys.path)
    os.environ.pop("DAGSTER_HOME", None)
    try:
        result = CliRunner().invoke(app, [*arguments, "--project", str(project)], catch_exceptions=False)
    finally:
        os.environ.clear()
        os.environ.update(before)
        sys.path[:] = path
        for name in [n for n in sys.modules if n.partition(".")[0] in ("orders_project", "guest")]:
            del sys.modules[name]
    return Said(result.exit_code, result.stdout, result.stderr)
