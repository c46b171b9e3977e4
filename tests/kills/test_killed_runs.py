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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

pytestmark = pytest.mark.kills

POINTS = [
    "stage.before_commit:2",
    "transform.before_dbt",
    "publish.before_commit",
    "transform.during_dbt > restore.before_commit",  # the run that puts the marts back dies, too
    "transform.after_dbt > restore.after_commit",
]
CAMPAIGN = os.environ.get("DATAOPS_CAMPAIGN")
MORE_POINTS = (
    "stage.before_write:1",
    "stage.after_write:1",
    "stage.after_commit:2",
    "transform.during_dbt",
    "transform.after_dbt",
    "adopt.before_commit",
    "adopt.after_commit",
    "publish.before_write",
    "publish.after_commit",
)
"""For the campaign: test_kills.py dies there, too, in processes that start sooner than a run of Dagster does."""
TRAIN_POINTS = ["train.before_register", "train.after_register"]


def run(project: Path, faults: str = "") -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"} | {"DATAOPS_FAULTS": faults}
    command = [str(Path(sys.executable).with_name("dataops")), "run", "--json"]
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)


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
def undisturbed(run_once: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], str]:
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


@pytest.mark.parametrize("point", [*POINTS, *(MORE_POINTS if CAMPAIGN else ())])
def test_a_run_killed_at(
    point: str, published: Path, undisturbed: tuple[dict[str, str], str], say: Callable[[str], None]
) -> None:
    before = holds(published)[1]
    change(published)
    reader = Reader(published)
    reader.start()
    for single in point.split(" > "):
        killed = run(published, single)
        assert killed.returncode == -9, killed.stdout + killed.stderr
    left = subprocess.run(["pgrep", "-f", str(published)], capture_output=True, text=True, check=False).stdout
    assert left == "", "the killed run left a process behind"
    again = run(published)
    reader.done.set()
    reader.join()
    assert again.returncode == 0, again.stdout + again.stderr
    assert holds(published) == undisturbed
    assert reader.torn == []
    assert {publication for publication, _ in reader.seen} <= {before, undisturbed[1]}
    assert len(reader.seen) <= 2, "one publication was seen with two contents"
    reads, torn = sum(reader.seen.values()), len(reader.torn)
    say(f"a run killed at {point}: {reads} reads, {torn} torn, {len(reader.seen)} publications")


def test_the_killed_run_is_not_shown_as_running_for_ever(published: Path) -> None:
    change(published)
    assert run(published, "stage.before_commit:1").returncode == -9
    command = [str(Path(sys.executable).with_name("dataops")), "status", "--json"]
    env = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"}
    done = subprocess.run(command, cwd=published, env=env, capture_output=True, text=True, check=True)
    states = {line["asset"]: line["state"] for line in json.loads(done.stdout)["assets"]}
    assert not [state for state in states.values() if state.startswith(("RUNNING", "QUEUED"))]
    assert states["raw_customers"].startswith("FAILED") or states["raw_orders"].startswith("FAILED")


@pytest.fixture(scope="module")
def trained(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], str]:
    """Heads and publication of the project with a model, after a run that nothing disturbs."""
    project = Path(shutil.copytree(root / "tests" / "projects" / "guest", tmp_path_factory.mktemp("trained") / "guest"))
    assert run(project).returncode == 0
    return holds(project)


@pytest.mark.parametrize("point", TRAIN_POINTS)
def test_a_run_killed_while_it_trains_doubles_no_version(
    point: str, root: Path, tmp_path: Path, trained: tuple[dict[str, str], str]
) -> None:
    from dataops_platform.technologies.mlflow.tracking import open_tracking

    project = Path(shutil.copytree(root / "tests" / "projects" / "guest", tmp_path / "guest"))
    assert run(project, point).returncode == -9
    assert holds(project)[1] == ""
    again = run(project)
    assert again.returncode == 0, again.stdout + again.stderr
    assert holds(project) == trained
    versions = open_tracking(load_project(project)).client.search_model_versions("name = 'dev.guest.stays'")
    assert [str(version.version) for version in versions] == ["1"]


def test_ctrl_c_stops_a_run_with_its_own_exit_code_and_word(published: Path) -> None:
    before = holds(published)
    command = [str(Path(sys.executable).with_name("dataops")), "run", "--force"]
    env = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"} | {"PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        command, cwd=published, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout
    while not running.stdout.readline().startswith("clean"):
        pass
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=60)
    assert (running.returncode, "DP-X130 Stopped." in out + error) == (130, True), out + error
    assert "Traceback" not in out + error
    assert holds(published)[1] == before[1]
    assert run(published).returncode == 0


STOPPED = {
    "a query that gives rows": ("sql", "select sum(hash(range)) from range(1000000000000)"),
    "a query that gives none for long": ("sql", "select count(*) from range(10000000) a, range(10000000) b"),
}


@pytest.mark.parametrize("arguments", STOPPED.values(), ids=STOPPED)
def test_ctrl_c_stops_a_query_at_once(arguments: tuple[str, ...], published: Path) -> None:
    code = f"import sys; sys.argv = ['dataops', *{arguments!r}]; print('begins', flush=True); "
    code += "from dataops_platform.cli.main import main; main()"
    env = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"}
    running = subprocess.Popen(
        [sys.executable, "-c", code], cwd=published, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout
    running.stdout.readline()
    time.sleep(8)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=15)
    assert (running.returncode, "DP-X130 Stopped." in out + error) == (130, True), out + error
    assert "Traceback" not in out + error
