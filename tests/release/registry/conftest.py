"""A small project with a model, in git, with dev, staging and prod; its first release is shown by all three."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import Project, load_project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.once import made_once
from tests.fixtures.orders import PROJECTS, move_artefacts, with_extensions_of

SETTINGS = """\
project: guest
owner: team:members
environments:
  dev: {}
  staging: {from: dev, gates: [contracts, checks]}
  prod: {from: staging, gates: [contracts, checks]}
"""
IGNORED = ".dataops/\n__pycache__/\ndata/\n"
DEFINITIONS = '''\
"""What Dagster loads: the team's own asset in any environment, and the stages beside it."""

from pathlib import Path

import dagster as dg

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

PROJECT = load_project(Path(__file__).parent)


@dg.asset(key=[PROJECT.environment, "signups"])
def signups() -> None:
    """Written by the team's own code; `data/shift.txt` decides who stays."""
    shift = int((PROJECT.home / "data" / "shift.txt").read_text())
    schema = f"lake.{PROJECT.build_schema}"
    with lake_of(PROJECT) as lake, lake.transaction():
        lake.connection.execute(f"create schema if not exists {schema}")
        lake.connection.execute(
            f"create or replace table {schema}.signups as select i as member, date '2024-01-01' + i::int as joined, "
            "(i * 37) % 60 + (i % 40 = 0)::int * 200 as age, "
            f"(i * 37) % 60 + (i * 7 + {shift}) % 20 > 40 as stayed from range(120) t(i)"
        )


@dg.definitions
def defs() -> dg.Definitions:
    """All definitions of the project."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    own = dg.Definitions(assets=[signups], executor=dg.in_process_executor)
    return dg.Definitions.merge(loaded, own)
'''
Dataops = Callable[[Path], Callable[..., Any]]


@pytest.fixture
def dataops(stays: Path, dataops_in: Dataops) -> Callable[..., Any]:
    """Runs `dataops ARGUMENTS` in this process, on the project."""
    return dataops_in(stays)


@pytest.fixture
def stays(tmp_path: Path, run_once: Path, released_once: Path) -> Path:
    """The project; `data/shift.txt` is a number that decides who stays, and no part of its code."""
    shutil.copytree(released_once, tmp_path / "stays", ignore=shutil.ignore_patterns("extensions"))
    move_artefacts(released_once, tmp_path / "stays")
    return with_extensions_of(run_once, tmp_path / "stays")


@pytest.fixture(scope="session")
def released_once(shared: Path, run_once: Path, dataops_in: Dataops) -> Path:
    """The same project, made once for all workers of this session; copied, never written to."""

    def make(folder: Path) -> None:
        target = folder / "stays"
        _write(target)
        with_extensions_of(run_once, target)
        for command in ("run", "release build", "promote --to staging", "promote --to prod"):
            said = dataops_in(target)(*command.split())
            assert said.exit_code == 0, f"{command}: {said.text}"

    return made_once(shared / "released_once", make) / "stays"


def _write(target: Path) -> None:
    shutil.copytree(PROJECTS / "guest", target, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "dataops.yaml").write_text(SETTINGS)
    (target / ".gitignore").write_text(IGNORED)
    (target / "data").mkdir()
    (target / "data" / "shift.txt").write_text("0")
    (target / "src" / "guest" / "definitions.py").write_text(DEFINITIONS)
    for command in ("init -q -b main", "add -A", "commit -q -m first"):
        git(target, *command.split())


def git(folder: Path, *arguments: str) -> str:
    """What git prints in a folder, as a person of its own."""
    who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def project(stays: Path) -> Project:
    """The project, in prod."""
    return load_project(stays, "prod")


@pytest.fixture
def lake(project: Project) -> Iterator[Lake]:
    """The project's lake, open."""
    with lake_of(project) as opened:
        yield opened
