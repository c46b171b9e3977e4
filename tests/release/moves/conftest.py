"""A shop in a lake."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

from dataops_platform.release.release import Release
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake
from tests.fixtures.lakes import location as location  # on both catalogs, in a folder of its own
from tests.fixtures.lakes import open_in
from tests.fixtures.shop import Shop


@pytest.fixture(scope="session")
def three_releases(
    engine: DuckDBPyConnection, extensions: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Release]]:
    """A folder with a lake on SQLite and a shop where dev made the releases 1, 2 and 3; and these."""
    folder = tmp_path_factory.mktemp("three_releases")
    location = LakeLocation(f"sqlite:{folder}/lake.sqlite", f"{folder}/data", extensions, folder / "anchors")
    with open_in(engine, location) as lake:
        shop = Shop(lake, folder / "shop")
        return folder, [shop.release(number) for number in (1, 2, 3)]


@pytest.fixture
def shop(request: pytest.FixtureRequest, location: LakeLocation, tmp_path: Path) -> Shop:
    """The shop, with the releases 1, 2 and 3 made in dev; prod shows nothing yet."""
    if location.sqlite_path is None:
        shop: Shop = request.getfixturevalue("new_shop")
        for number in (1, 2, 3):
            shop.release(number)
        return shop
    folder, releases = request.getfixturevalue("three_releases")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    shop = request.getfixturevalue("new_shop")
    shop.releases.extend(releases)
    return shop


@pytest.fixture
def new_shop(lake: Lake, tmp_path: Path) -> Shop:
    """The shop, with nothing built; its ledger has anchors."""
    lake.anchors = tmp_path / "anchors"
    made = Shop(lake, tmp_path / "shop")
    made.write_code("")
    return made
