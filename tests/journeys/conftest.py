"""What stories share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.once import made_once


@pytest.fixture(scope="session")
def dagster_dbt(shared: Path) -> str:
    """A folder with dagster-dbt, beside the environment and not in it."""

    def install(target: Path) -> None:
        options = ["--quiet", "--no-deps", "--target", str(target)]
        packages = ["dagster-dbt>=0.29.27,<0.30", "sqlglot", "orjson"]
        command = [sys.executable, "-m", "pip", "install", *options, *packages]
        if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
            command = ["uv", "pip", "install", *command[4:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"dagster-dbt cannot be installed here: {done.stderr[-200:]}")

    return str(made_once(shared / "dagster_dbt", install))
