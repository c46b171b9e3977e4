"""What the tests of this folder share: lakes as in tests/warehouse, and a shop in one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dataops_platform.warehouse.lake import Lake

TESTS = Path(__file__).parents[2]


def load(name: str, path: Path) -> ModuleType:
    """A module of tests by its file."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_lakes = load("lakes", TESTS / "warehouse" / "lakes.py")
_shop = load("small_shop", Path(__file__).with_name("shop.py"))

extensions, postgres, engine = _lakes.extensions, _lakes.postgres, _lakes.engine
location, lake = _lakes.location, _lakes.lake


@pytest.fixture(scope="session")
def lakes() -> ModuleType:
    """Helpers to write to and read from lakes."""
    return _lakes


@pytest.fixture
def shop(lake: Lake, tmp_path: Path) -> object:
    """The shop, with nothing built; its ledger has anchors."""
    lake.anchors = tmp_path / "anchors"
    made = _shop.Shop(lake, tmp_path / "shop")
    made.write_code("")
    return made
