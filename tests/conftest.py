"""Shared by all tests: where things are, a small project made by hand, and the command line run on it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from dataops_platform.warehouse import attach

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
"""Whether other tests run beside these, on small tables: threads then cost more than the work they share."""
if IS_WORKER:
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")

_spec = importlib.util.spec_from_file_location("forks", Path(__file__).with_name("forks.py"))
assert _spec and _spec.loader
_forks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_forks)

LAKE_PROGRAMS_IMPORT = ("release.collect", "release.move", "release.build", "release.propose", "stages.publish.run")
COUNTED = "counted"
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


ENVIRONMENTS = """
roles: {release-manager: [somebody]}
environments:
  dev: {}
  staging: {from: dev}
  prod: {from: staging, schedule: "0 5 * * *"}
"""


@pytest.fixture
def in_git(published: Path) -> Path:
    """The same project after its first run, in a git repository, with environments to promote to and no gates."""
    (published / "dataops.yaml").write_text((published / "dataops.yaml").read_text() + ENVIRONMENTS)
    (published / ".gitignore").write_text(".dataops/\n__pycache__/\n")
    git(published, "init", "--quiet")
    commit_all(published, "As it stands")
    return published


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder."""
    who = ["-c", "user.name=tests", "-c", "user.email=tests@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def commit_all(folder: Path, why: str) -> str:
    """Commits what is in a folder; gives the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", why)
    return git(folder, "rev-parse", "HEAD")


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
def light_connections() -> Iterator[None]:
    """Spares these tests the check of the extensions' signatures, a fifth of a second of each connection, and threads.

    Commands in processes of their own have both; `tests/warehouse/test_open.py` holds that signatures are checked.
    """
    attach.OPTIONS.update({"allow_unsigned_extensions": True} | ({"threads": 1} if IS_WORKER else {}))
    yield
    attach.OPTIONS.clear()


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Leaves the environment variables as they were; the platform sets some for the processes it starts."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def forks() -> Iterator[Any]:
    """Starts programs that work on a lake, many of them, without waiting for Python's imports each time."""
    started = _forks.Forks("pandas", *(f"dataops_platform.{name}" for name in LAKE_PROGRAMS_IMPORT))
    yield started
    started.close()


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Prints a line at the end of the session, whichever process the test ran in."""
    return lambda line: record_property(COUNTED, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests counted."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    for report in reports:
        if getattr(report, "when", "") == "call":
            for line in (value for name, value in report.user_properties if name == COUNTED):
                terminalreporter.write_line(line)


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


@pytest.fixture(scope="session")
def dataops_in() -> Callable[[Path], Callable[..., Said]]:
    """Runs `dataops ARGUMENTS` in this process, on the project in a folder."""
    return lambda project: lambda *arguments: run_dataops(project, *arguments)


@cache
def describe_components_once() -> None:
    """Has Dagster write the schemas of its installed components once for all tests: each load of a project does."""
    import dagster as dg
    from dagster.components.core import load_defs

    described = load_defs.get_library_json_enriched_defs(None).metadata
    load_defs.get_library_json_enriched_defs = lambda tree: dg.Definitions(metadata=described, component_tree=tree)


def run_dataops(project: Path, *arguments: str) -> Said:
    """Runs the command line in this process and leaves the process as it was."""
    from dataops_platform.cli.main import app

    describe_components_once()
    before, path = dict(os.environ), list(sys.path)
    os.environ.pop("DAGSTER_HOME", None)
    try:
        result = CliRunner().invoke(app, [*arguments, "--project", str(project)], catch_exceptions=False)
    finally:
        os.environ.clear()
        os.environ.update(before)
        sys.path[:] = path
        for name in [n for n in sys.modules if n.partition(".")[0] in ("orders_project", "guest", "flights")]:
            del sys.modules[name]
    return Said(result.exit_code, result.stdout, result.stderr)
