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
    assert [block.strip().splitlines()[0] for block in found] == [
        "make demo",
        "cd examples/flights",
        "cat > orders.odcs.yaml <<'EOF'",
        "make test",
    ]
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
        if block.startswith("cat > orders"):
            assert "orders 1.0.0 is BROKEN: 2 of 3 rows refused" in done.stdout
            assert done.stdout.endswith("refused\n")
    (example_code,) = re.findall(r"^```python\n(.*?)^```", (clone / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    (clone / "team.py").write_text(example_code + RUN)
    done = subprocess.run(
        [clone / ".venv" / "bin" / "python", "team.py"], cwd=clone, env=env, capture_output=True, text=True
    )
    assert "RED: orders 1.0.0 is broken: customer:required 1, amount:minimum 1, primary_key 2" in done.stdout, (
        done.stderr
    )


RUN = """
result = defs.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
(check,) = result.get_asset_check_evaluations()
assert not check.passed and not result.success
print("RED:", check.description)
"""
