"""Shared by all tests: where things are, what each leaves as it was, and the fixtures of `tests/fixtures`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dataops_platform.warehouse import attach
from tests.fixtures.forks import Forks

# each behind those it imports: pytest rewrites the assertions of a module before it is imported
FIXTURES = ("once", "quickened", "command_line", "lakes", "orders", "flights", "new_project", "tiers")
pytest_plugins = [f"tests.fixtures.{name}" for name in FIXTURES]

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
"""Whether other tests run beside these, on small tables: threads then cost more than the work they share."""
if IS_WORKER:
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")

LAKE_PROGRAMS_IMPORT = (
    *("release.retention.garbage", "release.promotion.switch", "release.promotion.promote"),
    *("release.build", "stages.publish.run"),
)
COUNTED = "counted"
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def flights(root: Path) -> Path:
    """The example project, as it stands in the repository; not to be written to."""
    return root / "examples" / "flights"


@pytest.fixture(scope="session", autouse=True)
def light_connections() -> Iterator[None]:
    """Spares these tests the check of the extensions' signatures, a fifth of a second of each connection, and threads.

    Commands in processes of their own have both; `tests/warehouse/test_open.py` holds that signatures are checked.
    """
    attach.OPTIONS.update({"allow_unsigned_extensions": True, "threads": 1})
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
def forks() -> Iterator[Forks]:
    """Starts programs that work on a lake, many of them, without waiting for Python's imports each time."""
    started = Forks("pandas", *(f"dataops_platform.{name}" for name in LAKE_PROGRAMS_IMPORT))
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
