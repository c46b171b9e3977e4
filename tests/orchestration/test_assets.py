"""The assets that are kept beside the lake: read while nothing changed, made anew as soon as anything did."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataops_platform.orchestration import assets
from dataops_platform.orchestration.assets import Asset, project_assets
from dataops_platform.settings.project import load_project

ASSET = Asset(("dev", "raw_orders"), "extract", ())
EXTRA = """
import dagster as dg

@dg.asset(key_prefix="dev", group_name="clean", deps=[dg.AssetKey(["dev", "raw_orders"])])
def extra() -> None: ...
"""


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The roots of the projects whose definitions were loaded; all are said to define one asset."""
    roots: list[Path] = []

    def load(project: Any) -> dg.Definitions:
        roots.append(project.root)
        return dg.Definitions([dg.AssetSpec(dg.AssetKey(ASSET.key), group_name=ASSET.stage)])

    monkeypatch.setattr(assets, "load_definitions", load)
    return roots


def kept_in(project: Path) -> Path:
    return project / ".dataops" / "assets" / "dev.json"


def test_definitions_that_did_not_change_are_not_loaded_again(orders: Path, loads: list[Path]) -> None:
    found = [project_assets(load_project(orders)) for _ in range(3)]
    assert [ASSET in assets for assets in found] == [True] * 3
    assert len(loads) == 1


@pytest.mark.parametrize(
    "file",
    [
        "dataops.yaml",
        "pyproject.toml",
        "src/orders_project/defs/clean/defs.yaml",
        "src/orders_project/cleaning.py",
        "contracts/orders.odcs.yaml",
        "dbt/models/monthly_sales.sql",
        "src/orders_project/defs/new.py",
    ],
)
def test_an_edited_file_of_the_project_has_them_loaded_again(file: str, orders: Path, loads: list[Path]) -> None:
    project_assets(load_project(orders))
    text = (orders / file).read_text() if (orders / file).exists() else ""
    for edited in (f"{text}\n# edited\n", text):
        (orders / file).write_text(edited)
        project_assets(load_project(orders))
    assert len(loads) == 3


def test_another_version_of_the_platform_loads_them_again(
    orders: Path, loads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    project_assets(load_project(orders))
    monkeypatch.setattr(assets, "VERSION", "0.0.0")
    project_assets(load_project(orders))
    assert len(loads) == 2


def test_a_module_outside_the_project_that_was_changed_loads_them_again(
    orders: Path, loads: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared_by_a_team.py").write_text("TABLES = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("shared_by_a_team")
    project_assets(load_project(orders))
    (tmp_path / "shared_by_a_team.py").write_text("TABLES = 12\n")
    project_assets(load_project(orders))
    del sys.modules["shared_by_a_team"]
    assert len(loads) == 2


def test_an_environment_variable_that_was_changed_loads_them_again(
    orders: Path, loads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("a", "b", "b"):
        monkeypatch.setenv("TEAM", value)
        project_assets(load_project(orders))
    assert len(loads) == 2


@pytest.mark.parametrize("spoil", ["", "[]", "{", "null", '{"assets": []}', "\x00"])
def test_a_damaged_copy_is_made_anew(spoil: str, orders: Path, loads: list[Path]) -> None:
    project_assets(load_project(orders))
    kept_in(orders).write_text(spoil)
    assert project_assets(load_project(orders)) == project_assets(load_project(orders)) == [ASSET]
    assert len(loads) == 2


def test_an_edited_copy_and_one_of_another_project_are_made_anew(
    orders: Path, loads: list[Path], tmp_path: Path
) -> None:
    project_assets(load_project(orders))
    kept = json.loads(kept_in(orders).read_text())
    kept_in(orders).write_text(json.dumps(kept | {"assets": []}))
    assert project_assets(load_project(orders)) == [ASSET]
    shutil.copytree(orders, tmp_path / "other", symlinks=True)
    assert project_assets(load_project(tmp_path / "other")) == [ASSET]
    assert loads == [orders, orders, tmp_path / "other"]


def test_what_was_edited_while_definitions_loaded_is_not_kept(
    orders: Path, loads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    load = assets.load_definitions

    def load_and_edit(project: Any) -> dg.Definitions:
        (orders / "src" / "orders_project" / "cleaning.py").write_text(f"# {len(loads)}\n")
        return load(project)

    monkeypatch.setattr(assets, "load_definitions", load_and_edit)
    project_assets(load_project(orders))
    assert not kept_in(orders).exists()


def test_the_board_shows_an_asset_from_the_moment_it_is_defined(published: Path, dataops: Callable[..., Any]) -> None:
    def states() -> dict[str, str]:
        lines = dataops("status", "--json").json["assets"]
        return {line["asset"]: line["state"] for line in lines if not line["state"].startswith("SUCCEEDED")}

    before = states()
    new = published / "src" / "orders_project" / "defs" / "extra.py"
    new.write_text(EXTRA)
    assert states() == before | {"extra": "AWAITING raw_orders"}
    new.write_text(EXTRA.replace("raw_orders", "raw_customers"))
    assert states()["extra"] == "AWAITING raw_customers"
    new.unlink()
    assert states() == before
