"""The example and a new project are written in one dialect: who knows one finds everything in the other."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataops_platform.template.bake import bake

ANSWERS = {"name": "shop-2", "team": "operations", "catalog": "sqlite", "ci": "none", "deployment": "none"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project."""
    return bake(ANSWERS, tmp_path_factory.mktemp("new"))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def package(project: Path) -> Path:
    """The folder of a project's own code."""
    (found,) = (path for path in (project / "src").iterdir() if path.is_dir() and (path / "defs").is_dir())
    return found


def stages(project: Path) -> dict[str, tuple[str, set[str]]]:
    """By folder: the component, and the keys that are common to all uses of it."""
    found = {}
    for path in sorted((package(project) / "defs").glob("*/defs.yaml")):
        text = read(path)
        assert list(text) == ["type", "attributes"], path
        found[path.parent.name] = (text["type"], set(text["attributes"]))
    return found


def test_both_have_the_same_stages_of_the_same_components_with_the_same_keys(shop: Path, flights: Path) -> None:
    assert stages(shop) == stages(flights)


def test_what_dagster_loads_is_the_same_file(shop: Path, flights: Path) -> None:
    for name in ("definitions.py", "defs/__init__.py"):
        assert (package(shop) / name).read_text() == (package(flights) / name).read_text()


def test_settings_have_the_same_keys_and_the_same_environments(shop: Path, flights: Path) -> None:
    new, old = read(shop / "dataops.yaml"), read(flights / "dataops.yaml")
    assert list(new) == list(old)
    assert {key: new[key] for key in ("owner", "lake", "roles", "environments")} == {
        key: old[key] for key in ("owner", "lake", "roles", "environments")
    }


def test_contracts_have_one_shape(shop: Path, flights: Path) -> None:
    shapes = {
        (tuple(text), tuple(text["team"]), tuple(text["description"]), frozenset(text["schema"][0]) - {"quality"})
        for project in (shop, flights)
        for text in map(read, sorted((project / "contracts").glob("*.odcs.yaml")))
    }
    assert len(shapes) == 1, shapes


def test_dbt_projects_and_packages_have_the_same_keys(shop: Path, flights: Path) -> None:
    assert list(read(shop / "dbt/dbt_project.yml")) == list(read(flights / "dbt/dbt_project.yml"))
    assert {p.name for p in (shop / "dbt/models").glob("*.yml")} == {
        p.name for p in (flights / "dbt/models").glob("*.yml")
    }
    new, old = (tomllib.loads((project / "pyproject.toml").read_text()) for project in (shop, flights))
    assert new["build-system"] == old["build-system"]
    assert list(new["tool"]["dg"]["project"]) == list(old["tool"]["dg"]["project"])
    assert set(old["project"]) - {"description"} <= set(new["project"])
