"""`dg scaffold defs` writes a file that is right as it stands, for every component."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.terminal import command

pytestmark = pytest.mark.journey


def test_every_component_can_be_scaffolded(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "0.1.0"\n[tool.dg]\ndirectory_type = "project"\n'
        '[tool.dg.project]\nroot_module = "shop"\n'
    )
    defs = tmp_path / "src" / "shop" / "defs"
    defs.mkdir(parents=True)
    for folder in (defs, defs.parent):
        (folder / "__init__.py").touch()
    for name in ("Extract", "Clean", "Transform", "Train", "Score", "Publish", "Contract", "Release"):
        done = command(tmp_path, "dg", "scaffold", "defs", f"dataops_platform.{name}", name.lower())
        assert done.exit_code == 0, done.out + done.err
        text = (defs / name.lower() / "defs.yaml").read_text()
        assert f"type: dataops_platform.{name}\n" in text
        assert " # " in text, "no comment teaches"
    checked = command(tmp_path, "dg", "check", "yaml")
    assert checked.exit_code == 0, checked.out + checked.err
