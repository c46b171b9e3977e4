"""Rollbacks of the flights example: the whole command, from its start to its end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DATAOPS = Path(sys.executable).with_name("dataops")


def rollback_seconds(folder: Path, count: int) -> list[float]:
    """Seconds of `dataops rollback prod`, `count` times, each after another release was promoted."""
    ignored = shutil.ignore_patterns(".dataops", "__pycache__", "target", "logs")
    shutil.copytree(REPOSITORY / "examples" / "flights", folder, ignore=ignored)
    (folder / ".gitignore").write_text(".dataops/\n__pycache__/\n")
    settings = folder / "dataops.yaml"
    lenient = settings.read_text().replace("model_not_worse", "{model_not_worse: {tolerance: 0.01}}")
    settings.write_text(lenient)  # ten more trees are worse in the fourth digit
    _git(folder, "init", "--quiet")
    _release(folder, "A year of flights")
    model = folder / "src" / "flights" / "delay.py"
    model.write_text(model.read_text().replace("max_iter=150", "max_iter=160"))
    second = _release(folder, "Ten more trees")
    seconds = []
    for number in range(count):
        began = time.perf_counter()
        _dataops(folder, "rollback", "prod")
        seconds.append(time.perf_counter() - began)
        print(f"rollback {number + 1} of {count}: {seconds[-1]:.2f} s", file=sys.stderr)
        _promote(folder, second)
    return seconds


def _release(folder: Path, why: str) -> str:
    _git(folder, "add", "--all")
    _git(folder, "-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org", "commit", "--quiet", "-m", why)
    _dataops(folder, "run")
    release: str = json.loads(_dataops(folder, "release", "build", "--json"))["id"]
    _dataops(folder, "promote", release, "--to", "staging")
    _promote(folder, release)
    return release


def _promote(folder: Path, release: str) -> None:
    plan = json.loads(_dataops(folder, "plan", release, "--to", "prod", "--json", may_refuse=True))["id"]
    _dataops(folder, "approve", plan)
    _dataops(folder, "promote", "--to", "prod", "--plan", plan)


def _dataops(folder: Path, *arguments: str, may_refuse: bool = False) -> str:
    done = subprocess.run([DATAOPS, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in ((0, 1) if may_refuse else (0,)):
        sys.exit(f"dataops {' '.join(arguments)}: {done.stdout[-500:]}{done.stderr[-2000:]}")
    return done.stdout


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)
