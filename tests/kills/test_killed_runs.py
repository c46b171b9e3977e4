"""Real Dagster runs, killed with SIGKILL at their fault points, while a reader looks on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.campaign import CAMPAIGN
from tests.fixtures.forks import Forks

pytestmark = pytest.mark.kills

Run = Callable[..., Any]

POINTS = [
    "stage.before_commit:2",
    "transform.before_dbt",
    "transform.during_dbt",
    "restore.before_commit",  # the run that puts the marts back dies, too
    "restore.after_commit",
    "transform.after_dbt",
    "publish.before_commit",
]
"""Where one run after another dies, each on its way past the point at which the one before it died."""
ALONE = (
    *("stage.before_write:1", "stage.after_write:1", "stage.before_commit:2", "stage.after_commit:2"),
    *("transform.before_dbt", "transform.during_dbt", "transform.after_dbt"),
    *("transform.during_dbt > restore.before_commit", "transform.after_dbt > restore.after_commit"),
    *("adopt.before_commit", "adopt.after_commit"),
    *("publish.before_write", "publish.before_commit", "publish.after_commit"),
)
"""For the campaign: what one death leaves. test_kills.py dies there, too, in processes that start sooner."""
RUN_IMPORTS = ("cli.main", "orchestration.definitions", "orchestration.instance", "orchestration.launch")
TRAIN_POINTS = ["train.before_register", "train.after_register"]


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it printed."""

    returncode: int
    out: str


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Runs `dataops run` in a process of its own; fails where that leaves one behind, however it ends."""
    forks = Forks("dagster", *(f"dataops_platform.{name}" for name in RUN_IMPORTS))

    def start(project: Path, faults: str = "") -> Ended:
        os.environ.pop("DAGSTER_HOME", None)
        command = [Path(sys.executable).with_name("dataops"), "run", "--json"]
        running = forks.start(command, cwd=project, DATAOPS_FAULTS=faults)
        out, error = running.communicate(timeout=600)
        for _ in range(100):  # what watches over a run of Dagster ends a moment after it
            left = subprocess.run(["pgrep", "-a", "-s", str(running.pid)], capture_output=True, text=True, check=False)
            if not left.stdout:
                break
            time.sleep(0.1)
        assert left.stdout == "", "the run left a process behind"
        assert running.returncode is not None
        return Ended(running.returncode, out + error)

    yield start
    forks.close()


def holds(project: Path) -> tuple[dict[str, str], str]:
    with lake_of(load_project(project), read_only=True) as lake:
        return {name: head.digest for name, head in lake.heads("dev").items()}, lake.state("dev").publication


class Reader(threading.Thread):
    """Reads everything an environment shows, again and again, each time in one transaction."""

    def __init__(self, project: Path) -> None:
        super().__init__(daemon=True)
        self.project, self.seen, self.done = project, Counter[tuple[str, str]](), threading.Event()
        self.torn: list[Any] = []

    def run(self) -> None:
        with lake_of(load_project(self.project), read_only=True) as lake:
            while not self.done.is_set():
                lake.connection.execute("begin")
                state = lake.state("dev")
                rows = {}
                for member in state.cut.members:
                    rows[member.name] = sorted(
                        lake.connection.execute(f"from lake.dev.{member.name}").fetchall(), key=str
                    )
                    if len(rows[member.name]) != member.rows:
                        self.torn.append((state.publication, member.name, len(rows[member.name]), member.rows))
                lake.connection.execute("commit")
                self.seen[(state.publication, json.dumps(rows, default=str))] += 1
                time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(run: Run, run_once: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], str]:
    """Heads and publication after a second run on changed files that nothing disturbs."""
    project = Path(shutil.copytree(run_once, tmp_path_factory.mktemp("undisturbed") / "orders"))
    change(project)
    assert run(project).returncode == 0
    return holds(project)


def change(project: Path) -> None:
    path = project / "data" / "orders.csv"
    path.write_text(path.read_text().replace("12.25", "99.00").replace("bob,9.00", "bob,9.50"))
    names = project / "data" / "customers.csv"
    names.write_text(names.read_text().replace("Bob", "Robert"))


@pytest.mark.parametrize("points", [POINTS, *([one.split(" > ") for one in ALONE] if CAMPAIGN else [])], ids=" > ".join)
def test_runs_that_are_killed_one_after_another_are_ended_by_the_next(
    points: Sequence[str],
    run: Run,
    published: Path,
    undisturbed: tuple[dict[str, str], str],
    dataops: Callable[..., Any],
    say: Callable[[str], None],
) -> None:
    before = holds(published)[1]
    change(published)
    reader = Reader(published)
    reader.start()
    for point in points:
        killed = run(published, point)
        assert killed.returncode == -9, killed.out
        states = [line["state"] for line in dataops("status", "--json").json["assets"]]
        assert [state for state in states if state.startswith("FAILED")], f"{point}: nobody sees the death"
        assert not [state for state in states if state.startswith(("RUNNING", "QUEUED"))], f"{point}: not for ever"
    again = run(published)
    reader.done.set()
    reader.join()
    assert again.returncode == 0, again.out
    assert holds(published) == undisturbed
    assert reader.torn == []
    assert {publication for publication, _ in reader.seen} <= {before, undisturbed[1]}
    assert len(reader.seen) <= 2, "one publication was seen with two contents"
    reads, torn = sum(reader.seen.values()), len(reader.torn)
    say(f"runs killed at {' > '.join(points)}: {reads} reads, {torn} torn, {len(reader.seen)} publications")


@pytest.fixture(scope="module")
def trained(run: Run, root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], str]:
    """Heads and publication of the project with a model, after a run that nothing disturbs."""
    project = Path(shutil.copytree(root / "tests" / "projects" / "guest", tmp_path_factory.mktemp("trained") / "guest"))
    assert run(project).returncode == 0
    return holds(project)


def test_runs_that_are_killed_while_they_train_double_no_version(
    run: Run, root: Path, tmp_path: Path, trained: tuple[dict[str, str], str]
) -> None:
    from dataops_platform.technologies.mlflow.tracking import open_tracking

    project = Path(shutil.copytree(root / "tests" / "projects" / "guest", tmp_path / "guest"))
    for point in TRAIN_POINTS:
        assert run(project, point).returncode == -9
        assert holds(project)[1] == ""
    again = run(project)
    assert again.returncode == 0, again.out
    assert holds(project) == trained
    versions = open_tracking(load_project(project)).client.search_model_versions("name = 'dev.guest.stays'")
    assert [str(version.version) for version in versions] == ["1"]


def test_ctrl_c_stops_a_run_with_its_own_exit_code_and_word(run: Run, published: Path) -> None:
    before = holds(published)
    with started(published, "run", "--force") as running:
        assert running.stdout
        while not running.stdout.readline().startswith("clean"):
            pass
        is_stopped_by_ctrl_c(running)
    assert holds(published)[1] == before[1]
    assert run(published).returncode == 0


STOPPED = {
    "a query that gives rows": ("sql", "select sum(hash(range)) from range(1000000000000)"),
    "a query that gives none for long": ("sql", "select count(*) from range(10000000) a, range(10000000) b"),
}


@pytest.mark.parametrize("arguments", STOPPED.values(), ids=STOPPED)
def test_ctrl_c_stops_a_query_at_once(arguments: tuple[str, ...], published: Path) -> None:
    with started(published, *arguments) as running:
        while busy_beside_the_main_thread_s(running.pid) < 0.5:  # Python's imports are the main thread's
            assert running.poll() is None, running.communicate()
            time.sleep(0.05)
        is_stopped_by_ctrl_c(running)


@contextmanager
def started(project: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`dataops ARGUMENTS`, which hears Ctrl-C also where this process does not; killed in the end."""
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += f"sys.argv = ['dataops', *{arguments!r}]; from dataops_platform.cli.main import main; main()"
    env = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"} | {"PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        [sys.executable, "-c", code], cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def busy_beside_the_main_thread_s(pid: int) -> float:
    """Seconds of processor that the other threads of a process have used: DuckDB answers in them."""
    used = []
    for stat in (f"/proc/{pid}/stat", f"/proc/{pid}/task/{pid}/stat"):  # all threads, also ended ones; the main one
        fields = Path(stat).read_text().rpartition(")")[2].split()
        used.append(int(fields[11]) + int(fields[12]))
    return (used[0] - used[1]) / os.sysconf("SC_CLK_TCK")


def is_stopped_by_ctrl_c(running: subprocess.Popen[str]) -> None:
    """Sends SIGINT; the command ends soon, with its own exit code and word."""
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=60)
    assert (running.returncode, "DP-X130 Stopped." in out + error) == (130, True), out + error
    assert "Traceback" not in out + error
