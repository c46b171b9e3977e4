"""What a process left that was killed while it made something again is removed by the next, and by gc."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataops_platform.orchestration.instance import open_instance
from dataops_platform.release.reproduce.scratch import clear_left, scratch
from dataops_platform.settings.project import Project, load_project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of

pytestmark = pytest.mark.journey

NAME = "reproduce_1234abcd"
SCRIPT = f"""
import os, signal, sys
from pathlib import Path
from dataops_platform.release.reproduce.scratch import scratch
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

project = load_project(Path(sys.argv[1]))
with lake_of(project) as lake, scratch(project, lake, "{NAME}"):
    with lake.transaction():
        lake.create_schema("{NAME}__build")
        lake.connection.execute("create table lake.{NAME}__build.orders as select 1 as id")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def project(published: Path) -> Project:
    return load_project(published)


@pytest.fixture
def left(project: Project) -> None:
    """A process was killed while it made something again, after its run was in Dagster's catalog."""
    assert subprocess.run([sys.executable, "-c", SCRIPT, str(project.root)], check=False).returncode == -9
    with open_instance(project) as instance:
        for environment in (NAME, "dev"):
            instance.report_runless_asset_event(dg.AssetMaterialization([environment, "orders"]))
    assert project.at(NAME).environment == NAME


@pytest.fixture
def lake(project: Project) -> Iterator[Lake]:
    with lake_of(project) as opened:
        yield opened


def traces(project: Project, lake: Lake) -> set[str]:
    """Where anything of the environment is found."""
    schemas = [name for (name,) in lake.connection.execute("select schema_name from duckdb_schemas()").fetchall()]
    with open_instance(project) as instance:
        assets = instance.get_asset_keys(prefix=["dev"]), instance.get_asset_keys(prefix=[NAME])
    assert assets[0], "those of others stay"
    found = {"schema": f"{NAME}__build" in schemas, "assets": bool(assets[1])}
    found["mark"] = (project.state_dir / "branches" / NAME).exists()
    return {where for where, is_there in found.items() if is_there}


@pytest.mark.usefixtures("left")
def test_what_a_killed_process_left_is_removed_by_the_next(project: Project, lake: Lake) -> None:
    assert traces(project, lake) == {"schema", "assets", "mark"}
    assert clear_left(project, lake) == [NAME]
    assert traces(project, lake) == set()
    assert clear_left(project, lake) == []


@pytest.mark.usefixtures("left")
def test_gc_removes_it_too_but_not_when_it_only_looks(
    project: Project, lake: Lake, dataops: Callable[..., Any]
) -> None:
    assert dataops("gc").exit_code == 0
    assert traces(project, lake) == {"schema", "assets", "mark"}
    assert dataops("gc", "--yes").exit_code == 0
    assert traces(project, lake) == set()


def test_what_is_at_work_is_left_alone_and_what_is_kept_stays(project: Project, lake: Lake) -> None:
    with lake_of(project) as other, scratch(project, lake, NAME, keep=True):
        assert clear_left(project, other) == []
        with lake.transaction():
            lake.create_schema(f"{NAME}__build")
    assert clear_left(project, lake) == []
    with scratch(project, lake, "reproduce_2"):
        pass
    assert sorted(path.name for path in (project.state_dir / "branches").glob("*")) == [NAME]
