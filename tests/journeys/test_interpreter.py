"""A release keeps its packages: what was installed since is not there when its code runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.fixtures.terminal import BIN
from tests.journeys.test_ten_minutes import Newcomer

TELLS = """
import os as _os
import sys as _sys
from pathlib import Path as _Path

if "TOLD" in _os.environ:
    _Path(_os.environ["TOLD"]).write_text(_sys.prefix)
"""


@pytest.mark.journey
def test_a_command_starts_again_with_the_packages_of_the_release_that_is_shown(tmp_path: Path) -> None:
    new = Newcomer(tmp_path, wheels=tmp_path)
    new.types(f"{BIN / 'dataops'} init my-shop --no-input")  # from a checkout: the project takes the package from there
    shop = new.folder = tmp_path / "my-shop"
    definitions = shop / "src" / "my_shop" / "definitions.py"
    definitions.write_text(definitions.read_text() + TELLS)
    new.types("make run")
    new.types("git add --all && git commit --quiet --message 'A shop'")
    new.types(".venv/bin/dataops release build && .venv/bin/dataops promote --to staging")

    new.types(".venv/bin/uv add --quiet --no-sync humanize && .venv/bin/uv sync --quiet --inexact")
    new.types("git commit --quiet --all --message 'One package more'")
    new.environment["TOLD"] = os.fspath(tmp_path / "told.txt")
    assert "staging shows" in new.types(".venv/bin/dataops run --env staging")
    there = Path((tmp_path / "told.txt").read_text())
    assert re.fullmatch(rf"{re.escape(str(shop))}/\.dataops/environments/[\w-]+", str(there))
    asks = "-c 'import dataops_platform, humanize'"
    assert "No module named 'humanize'" in new.types(f"{there}/bin/python {asks}", expect=1)
    new.types(f".venv/bin/python {asks}")

    new.types(".venv/bin/dataops run")
    assert Path((tmp_path / "told.txt").read_text()) == shop / ".venv", "dev has what is installed"
