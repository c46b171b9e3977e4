"""A guarded environment runs the code of its release: what is checked out changes nothing there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.orchestration.definitions import load_definitions
from dataops_platform.orchestration.import_path import use_source_of
from dataops_platform.settings.project import load_project
from tests.fixtures.command_line import Said, git

pytestmark = pytest.mark.journey

Run = Callable[..., Any]
FUNCTION = "src/orders_project/cleaning.py"


def loud(project: Path) -> None:
    """Changes what the project does to names."""
    text = (project / FUNCTION).read_text()
    (project / FUNCTION).write_text(text.replace("strip_chars()", "strip_chars().str.to_uppercase()"))


def names(dataops: Run, environment: str) -> list[str]:
    found = dataops("sql", "select name from customers order by 1", "--env", environment, "--json").json
    return [row["name"] for row in found]


@pytest.fixture
def promoted(in_git: Path, dataops: Run) -> Path:
    """The small project, its first release shown by staging and prod."""
    for command in (("release", "build"), ("promote", "--to", "staging"), ("promote", "--to", "prod")):
        said: Said = dataops(*command)
        assert said.exit_code == 0, said.text
    return in_git


@pytest.mark.journey
def test_prod_runs_its_release_while_dev_runs_what_is_checked_out(promoted: Path, dataops: Run) -> None:
    loud(promoted)
    (promoted / "data" / "customers.csv").write_text("customer,name\nann,Ann\nbob,Bob\ncid,Cid\ndot, Dot\n")
    assert dataops("run").exit_code == 0
    said = dataops("run", "--env", "prod", "--json")
    assert (said.exit_code, said.json["success"]) == (0, True)
    assert names(dataops, "dev") == ["ANN", "BOB", "CID", "DOT"]
    assert names(dataops, "prod") == ["Ann", "Bob", "Cid", "Dot"], "new data, old code"
    assert names(dataops, "staging") == ["Ann", "Bob", "Cid"]
    assert dataops("status", "--env", "prod", "--json").exit_code == 0


def test_before_the_first_promotion_nothing_runs_in_prod(in_git: Path, dataops: Run) -> None:
    said = dataops("run", "--env", "prod")
    assert (said.exit_code, "DP-R008 No release was ever promoted to prod" in said.text) == (1, True)


def test_a_promotion_whose_code_cannot_be_pinned_moves_nothing(in_git: Path, dataops: Run) -> None:
    dataops("release", "build")
    git(in_git, "commit", "--quiet", "--amend", "-m", "All anew")
    git(in_git, "reflog", "expire", "--expire=now", "--all")
    git(in_git, "gc", "--quiet", "--prune=now")
    said = dataops("promote", "--to", "staging")
    assert (said.exit_code, "DP-R011" in said.text) == (1, True)
    assert "shows nothing yet" in dataops("status", "--env", "staging").text


def test_one_process_never_has_modules_of_two_copies(promoted: Path) -> None:
    from dataops_platform.release.pinned_code.pin import pinned_project
    from dataops_platform.warehouse.open import lake_of

    path = list(sys.path)
    try:
        checkout = load_project(promoted, "prod")
        with lake_of(checkout, read_only=True) as lake:
            pinned = pinned_project(checkout, lake)
        for project in (checkout, pinned, checkout):
            load_definitions(project)
            files = [Path(m.__file__) for n, m in sys.modules.items() if n.startswith("orders_project") and m.__file__]
            assert files
            assert all(file.is_relative_to(project.root / "src") for file in files)
            sources = [p for p in sys.path if str(promoted) in p]
            assert sources == [str(project.root / "src")]
        use_source_of(pinned)
        assert not [name for name in sys.modules if name.startswith("orders_project")]
    finally:
        sys.path[:] = path
        for name in [n for n in sys.modules if n.startswith("orders_project")]:
            del sys.modules[name]
