"""`dg scaffold defs` writes a file that is right as it stands, for every component."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.terminal import command

pytestmark = pytest.mark.journey

COMPONENTS = ("Extract", "Clean", "Transform", "Train", "Score", "Publish", "Contract", "Release")
SCAFFOLD = """
import sys
from dagster_dg_cli.cli import create_dg_cli
dg = create_dg_cli()
for name in sys.argv[1:]:
    dg(["scaffold", "defs", f"dataops_platform.{name}", name.lower()], standalone_mode=False)
"""
"""`dg scaffold defs` for one component after another, in one process."""


def test_every_component_can_be_scaffolded(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "0.1.0"\n[tool.dg]\ndirectory_type = "project"\n'
        '[tool.dg.project]\nroot_module = "shop"\n'
    )
    defs = tmp_path / "src" / "shop" / "defs"
    defs.mkdir(parents=True)
    for folder in (defs, defs.parent):
        (folder / "__init__.py").touch()
    done = command(tmp_path, "python", "-c", SCAFFOLD, *COMPONENTS)
    assert done.exit_code == 0, done.out + done.err
    for name in COMPONENTS:
        text = (defs / name.lower() / "defs.yaml").read_text()
        assert f"type: dataops_platform.{name}\n" in text
        assert " # " in text, "no comment teaches"
    checked = command(tmp_path, "dg", "check", "yaml")
    assert checked.exit_code == 0, checked.out + checked.err
