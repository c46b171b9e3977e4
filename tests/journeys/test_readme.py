"""The README tells the truth: what it says to type is typed here."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.journeys.conftest import clone_of_the_repository

pytestmark = pytest.mark.journey


def blocks(text: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_every_block_of_the_readme_runs(root: Path, tmp_path: Path) -> None:
    clone = clone_of_the_repository(tmp_path / "clone")
    (clone / ".venv").symlink_to(root / ".venv")
    found = blocks((clone / "README.md").read_text())
    assert [block.strip().splitlines()[0] for block in found] == ["make demo", "cd examples/flights", "make test"]
    env = {k: v for k, v in os.environ.items() if k not in ("DAGSTER_HOME", "DATAOPS_ENV")}
    for block in found[:-1]:  # the last one is what runs the tests
        done = subprocess.run(
            ["bash", "-euc", block.replace("make ", "make -o .venv/.ready ")],
            cwd=clone,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        if block.startswith("make demo"):
            example = re.search(r"^```text\n(.*?)^```", (clone / "README.md").read_text(), re.DOTALL | re.MULTILINE)
            printed = {" ".join(line.split()) for line in done.stdout.splitlines()}
            assert example is not None
            for line in example[1].splitlines():
                if re.search(r"\d", line):
                    assert " ".join(line.split()) in printed
