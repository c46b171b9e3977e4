"""What the tests of this folder share. They are imported by path, so that they need no package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_spec = importlib.util.spec_from_file_location("lakes", Path(__file__).with_name("lakes.py"))
assert _spec and _spec.loader
_lakes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_lakes)

extensions, postgres, engine = _lakes.extensions, _lakes.postgres, _lakes.engine
location, lake = _lakes.location, _lakes.lake


@pytest.fixture(scope="session")
def lakes() -> ModuleType:
    """Helpers to write to and read from lakes."""
    return _lakes
