"""A shop in a lake."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataops_platform.warehouse.lake import Lake
from tests.fixtures.lakes import location as location  # on both catalogs, in a folder of its own
from tests.fixtures.shop import Shop


@pytest.fixture
def shop(lake: Lake, tmp_path: Path) -> Shop:
    """The shop, with nothing built; its ledger has anchors."""
    lake.anchors = tmp_path / "anchors"
    made = Shop(lake, tmp_path / "shop")
    made.write_code("")
    return made
