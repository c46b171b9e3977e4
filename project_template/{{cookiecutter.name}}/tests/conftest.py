"""A copy of this project for the tests, and the command line in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Copy:
    """A copy of the project in a git repository of its own."""

    folder: Path

    def dataops(self, *arguments: str, expect: int = 0) -> Any:
        """Run a command and return its JSON; the exit code must be `expect`."""
        source = str(self.folder / "src")
        done = subprocess.run(
            [sys.executable, "-m", "dataops_platform.cli", *arguments, "--json"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": source, "DATAOPS_ACTOR": "tests"},
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr)

    def commit(self) -> None:
        """Commit all files as they are."""
        for command in (["add", "--all"], ["commit", "--quiet", "--message", "As it stands"]):
            who = ["-c", "user.name=tests", "-c", "user.email=tests@example.org", "-c", "commit.gpgsign=false"]
            subprocess.run(["git", *who, *command], cwd=self.folder, check=True)


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Return the copy, committed; nothing has run yet."""
    folder = tmp_path_factory.mktemp("copy") / PROJECT.name
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(".git", ".venv", ".dataops", "__pycache__"))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    copy = Copy(folder)
    copy.commit()
    return copy


@pytest.fixture(scope="session")
def first_run(copy: Copy) -> Any:
    """Return the summary of the pipeline's first run."""
    return copy.dataops("run")
