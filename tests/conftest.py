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
from typer.testing import CliRunner

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def flights(root: Path) -> Path:
    """The example project, as it stands in the repository; not to be written to."""
    return root / "examples" / "flights"


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """A project of its own with two raw files, one mart and a publication; nothing has run yet."""
    return Path(shutil.copytree(ROOT / "tests" / "projects" / "orders", tmp_path / "orders"))


@pytest.fixture
def published(run_once: Path, tmp_path: Path) -> Path:
    """The same project, after its first run."""
    return Path(shutil.copytree(run_once, tmp_path / "orders"))


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, run once in this session; copied, never written to."""
    target = tmp_path_factory.mktemp("run_once") / "orders"
    shutil.copytree(ROOT / "tests" / "projects" / "orders", target)
    assert run_dataops(target, "run").exit_code == 0
    return target


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
        for name in [n for n in sys.modules if n.partition(".")[0] == "orders_project"]:
            del sys.modules[name]
    return Said(result.exit_code, result.stdout, result.stderr)
