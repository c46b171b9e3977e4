"""The first ten minutes of a newcomer: from the wheel to a red contract and a rollback, as the pages tell it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MINUTES = 10
QUANTITY = "{minimum: 1, maximum: 100}"
SCREENS = "select count(*) as orders, sum(quantity) as pieces from orders"


class Newcomer:
    """Somebody who types into a terminal, with a watch: nothing of this repository is on the path."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder = folder
        self.times: dict[str, float] = {}
        kept = {
            k: v for k, v in os.environ.items() if k in ("HOME", "LANG", "PATH") or k.startswith(("PIP_", "UV_", "SSL"))
        }
        found = {name: f"{os.environ.get(name, '')} {wheels}".strip() for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS")}
        who = {"GIT_AUTHOR_NAME": "new", "GIT_AUTHOR_EMAIL": "new@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
        committer = {"GIT_COMMITTER_NAME": "new", "GIT_COMMITTER_EMAIL": "new@example.org"}
        self.environment = {**kept, **found, **who, **committer, "DATAOPS_ACTOR": "new"}

    def types(self, line: str, step: str = "", expect: int = 0) -> str:
        """What a line of shell prints; its seconds are added to those of a step."""
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-euc", line], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        self.times[step or line] = self.times.get(step or line, 0.0) + time.monotonic() - began
        assert done.returncode == expect, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def asks(self, line: str, step: str, expect: int = 0) -> Any:
        """The same as JSON."""
        return json.loads(self.types(f"{line} --json 2>/dev/null", step, expect))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with this package's wheel, made from what would be committed."""
    from tests.fixtures.terminal import clone_of_the_repository

    clone = clone_of_the_repository(tmp_path_factory.mktemp("source") / "clone")
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(clone)], check=True
    )
    return folder


@pytest.mark.journey
def test_the_first_ten_minutes(wheels: Path, tmp_path: Path, say: Callable[[str], None]) -> None:
    new = Newcomer(tmp_path, wheels)
    installs = "env/bin/uv pip install --quiet --python env/bin/python dataops-platform"
    new.types(f"{sys.executable} -m venv env && env/bin/pip install --quiet uv && {installs}", "install")
    new.types("env/bin/dataops init my-shop --no-input", "init")
    shop = new.folder = tmp_path / "my-shop"
    assert "dev shows publication" in new.types("make run", "main job")
    new.types("make test", "tests")
    new.types("git add --all && git commit --quiet --message 'A shop'", "commit")
    _up_and_down(new)

    _to_prod(new)
    _a_contract_stops_what_breaks_it(new)
    before = _shown(new, "prod")
    orders = shop / "data" / "orders.csv"
    orders.write_text(re.sub(r"(?m)^(o3300,.*,)\d+(,[\d.]+,\d+,\w+)$", r"\g<1>77\2", orders.read_text()))
    new.types("git commit --quiet --all --message 'Many pieces'", "break")
    new.types(".venv/bin/dataops run", "break")
    _to_prod(new, step="break")
    assert _shown(new, "prod") != before
    new.types(".venv/bin/dataops rollback prod", "roll back")
    assert _shown(new, "prod") == before

    total = sum(new.times.values())
    told = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in new.times.items())
    busy = os.getloadavg()[0] > (os.cpu_count() or 1) * 2
    assert total <= (2 if busy else 1) * MINUTES * 60, told
    say(f"the first ten minutes: {told}; in all {total / 60:.1f} minutes, load {os.getloadavg()[0]:.1f}")


def _to_prod(new: Newcomer, step: str = "to prod") -> None:
    new.types(".venv/bin/dataops release build && .venv/bin/dataops promote --to staging", step)
    plan = new.asks(".venv/bin/dataops plan --to prod", step, expect=1)["id"]
    new.types(f".venv/bin/dataops approve {plan} && .venv/bin/dataops promote --to prod --plan {plan}", step)


def _a_contract_stops_what_breaks_it(new: Newcomer) -> None:
    """One value of a contract is changed: a red check, nothing downstream runs, readers see what they saw."""
    contract = new.folder / "contracts" / "orders.odcs.yaml"
    good, before = contract.read_text(), _shown(new, "dev")
    assert QUANTITY in good
    contract.write_text(good.replace(QUANTITY, "{minimum: 3, maximum: 100}"))
    said = new.types(".venv/bin/dataops run", "red check", expect=1)
    assert "DP-C012" in said
    assert "quantity:minimum" in said
    states = {line["asset"]: line["state"] for line in new.asks(".venv/bin/dataops status", "red check")["assets"]}
    assert states["orders"].startswith("FAILED")
    assert states["daily_sales"].startswith("NOT REACHED")
    assert states["publication"].startswith("NOT REACHED")
    assert _shown(new, "dev") == before
    contract.write_text(good)
    new.types(".venv/bin/dataops run", "red check")


def _shown(new: Newcomer, environment: str) -> Any:
    return new.asks(f'.venv/bin/dataops sql "{SCREENS}" --env {environment}', "look")


def _up_and_down(new: Newcomer) -> None:
    """Starts the servers, looks at both, stops them with Ctrl-C: nothing is left running."""
    began = time.monotonic()
    port, other = _free_port(), _free_port()
    command = [".venv/bin/dataops", "up", "--port", str(port), "--mlflow-port", str(other)]
    with subprocess.Popen(command, cwd=new.folder, env=new.environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            for line in server.stdout:
                if line.startswith("ready"):
                    break
            for address in (f"http://127.0.0.1:{port}/server_info", f"http://127.0.0.1:{other}/health"):
                with urllib.request.urlopen(address, timeout=30) as answer:
                    assert answer.status == 200
            server.send_signal(signal.SIGINT)
            assert server.wait(60) == 0
            assert "stopped" in server.stdout.read()
        finally:
            server.kill()
    new.times["up and down"] = time.monotonic() - began
    left = subprocess.run(["pgrep", "-f", str(new.folder)], capture_output=True, text=True, check=False).stdout
    assert left == ""
    shutil.rmtree(new.folder / ".dataops" / "logs")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
