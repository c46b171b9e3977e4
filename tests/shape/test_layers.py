"""Imports point down: import-linter holds it and reports each planted fault."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = {
    "a layer that imports upwards": ("kit/errors.py", "import dataops_platform.stages.step", "Layers"),
    "a stage that knows another": ("stages/clean/run.py", "import dataops_platform.stages.extract.run", "Stages know"),
    "a technology that knows another": (
        "technologies/files/read.py",
        "import dataops_platform.technologies.mlflow.registry",
        "Technologies know",
    ),
    "a package of release that imports upwards": (
        "release/pinned_code/pin.py",
        "import dataops_platform.release.promotion.promote",
        "Packages of release",
    ),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def copied(root: Path, target: Path) -> Path:
    shutil.copytree(root / "dataops_platform", target / "dataops_platform")
    shutil.copy(root / "pyproject.toml", target)
    return target


def test_the_layers_hold(root: Path) -> None:
    done = lint(root)
    assert (done.returncode, "0 broken" in done.stdout) == (0, True)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str, root: Path, tmp_path: Path) -> None:
    name, line, contract = FAULTS[fault]
    path = copied(root, tmp_path) / "dataops_platform" / name
    path.write_text(f"{path.read_text()}\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    broken = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(text.startswith(contract) for text in broken)
