"""What tests of the repository's shape share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def reference(root: Path) -> ModuleType:
    """What writes the pages of `docs/reference`."""
    spec = importlib.util.spec_from_file_location("reference", root / "docs" / "reference.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
