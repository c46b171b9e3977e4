"""The real year, run once for all stories, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Done:
    """How a command ended, what it printed, and how long it took."""

    exit_code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def command(folder: Path, *arguments: str, **environment: str) -> Done:
    """Runs a program of the environment in a folder, as a user would."""
    env = {k: v for k, v in os.environ.items() if k not in ("DAGSTER_HOME", "DATAOPS_ENV")} | environment
    began = time.monotonic()
    done = subprocess.run(
        [str(BIN / arguments[0]), *arguments[1:]], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of each block of code of a page."""
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def typed(folder: Path, language: str, block: str, **environment: str) -> Done:
    """Does what a block of code says, in a folder: as typed in a shell, or as a file of Python."""
    if language == "python":
        return command(folder, "python", "-c", block, **environment)
    return command(folder, "/bin/bash", "-euc", block, **environment)


def unsaid(example: str, printed: str) -> list[str]:
    """Lines of an example that were not printed; one that ends with … may go on. Spaces do not count."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    wanted = [" ".join(line.split()) for line in example.splitlines()]
    return [w for w in wanted if not any(one == w or (w.endswith("…") and one.startswith(w[:-1])) for one in lines)]


def fresh_copy(target: Path) -> Path:
    """The example as it stands in the repository, without anything it made."""
    ignored = shutil.ignore_patterns(".dataops", "__pycache__")
    return Path(shutil.copytree(ROOT / "examples" / "flights", target, ignore=ignored))


def clone_of_the_repository(target: Path) -> Path:
    """A git clone, with what is not committed yet committed in it: the tests judge what would be committed."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
        else:
            (target / name).unlink(missing_ok=True)
    who = ["-c", "user.name=tests", "-c", "user.email=tests@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "add", "--all"], cwd=target, check=True)
    subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", "-m", "As it stands"], cwd=target, check=True)
    return target


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """The example after its first run, and what that run said."""
    project = fresh_copy(tmp_path_factory.mktemp("year") / "flights")
    done = command(project, "dataops", "run", "--json")
    assert done.exit_code == 0, done.out + done.err
    return project, done


@pytest.fixture(scope="session")
def dagster_dbt(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with dagster-dbt, beside the environment and not in it."""
    target = tmp_path_factory.mktemp("dagster_dbt")
    packages = ["dagster-dbt>=0.29.27,<0.30", "sqlglot", "orjson"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), *packages]
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        command = ["uv", "pip", "install", *command[4:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"dagster-dbt cannot be installed here: {done.stderr[-200:]}")
    return str(target)
