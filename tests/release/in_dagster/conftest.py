"""The small project with the component of releases, in git; its first release is built."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataops_platform.locations import definitions_of
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.command_line import commit_all, run_dataops

GATES = {
    "staging: {from: dev}": "staging: {from: dev, gates: [contracts, checks]}",
    "prod: {from: staging,": "prod: {from: staging, gates: [contracts, {approval: {by: [role:release-manager]}}],",
}


@pytest.fixture
def project(in_git: Path, dataops: Callable[..., Any]) -> Path:
    """Nothing was promoted yet; staging asks its contracts, prod for an approval."""
    add_releases(in_git)
    assert dataops("release", "build").exit_code == 0
    return in_git


@pytest.fixture
def dataops(tmp_path: Path) -> Callable[..., Any]:
    """Runs `dataops ARGUMENTS` on the project, as from a terminal: a location that was loaded set its environment."""

    def run(*arguments: str) -> Any:
        os.environ.pop("DATAOPS_ENV", None)
        return run_dataops(tmp_path / "orders", *arguments)

    return run


def add_releases(folder: Path) -> str:
    """Gives a project the component and gates; gives the commit."""
    settings = (folder / "dataops.yaml").read_text()
    for plain, gated in GATES.items():
        settings = settings.replace(plain, gated)
    (folder / "dataops.yaml").write_text(settings)
    own = folder / "src" / "orders_project" / "defs" / "release"
    own.mkdir()
    (own / "defs.yaml").write_text("type: dataops_platform.Release\n\nattributes: {look_every_s: 5}\n")
    return commit_all(folder, "Releases")


@pytest.fixture
def location(project: Path) -> Iterator[Callable[[str], dg.Definitions]]:
    """Loads the location of an environment anew, as a code server that starts does."""
    path, environment_before = list(sys.path), dict(os.environ)

    def load(environment: str) -> dg.Definitions:
        definitions_of.cache_clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return definitions_of(environment, project)

    yield load
    definitions_of.cache_clear()
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(environment_before)
    for name in [n for n in sys.modules if n.startswith("orders_project")]:
        del sys.modules[name]


def shown(folder: Path, environment: str) -> Any:
    """The state that an environment shows."""
    from dataops_platform.settings.project import load_project

    with lake_of(load_project(folder, environment), read_only=True) as lake:
        return lake.state(environment)
