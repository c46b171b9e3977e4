"""A project that has seen something, its servers, and a browser in which people would look at it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.fixtures.command_line import Said, commit_all, run_dataops
from tests.fixtures.new_project import copy_of
from tests.fixtures.terminal import BIN, ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = ROOT / ".screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync"),
)

QUANTITY = "{minimum: 1, maximum: 100}"


@dataclass(frozen=True)
class Shop:
    """A project and where its servers listen."""

    folder: Path
    dagster: str
    mlflow: str

    def asset(self, environment: str, name: str, view: str = "overview") -> str:
        """The address of an asset's page."""
        return f"{self.dagster}/assets/{environment}/{name}?view={view}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: make browser installs it")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page. Fails where it asked anybody else than this machine, or where its scripts failed."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened, elsewhere, errors = context.new_page(), list[str](), list[str]()
    opened.set_default_timeout(60_000)

    def asked(request: Any) -> None:
        where = urlsplit(request.url)
        if where.scheme in ("http", "https", "ws", "wss") and where.hostname != "127.0.0.1":
            elsewhere.append(request.url)

    context.on("request", asked)
    opened.on("websocket", lambda socket: asked(socket))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert elsewhere == [], "no request leaves this machine"
    assert errors == []


@pytest.fixture
def picture(page: Page) -> Callable[[str], None]:
    """Keeps a picture of the page under a name."""
    PICTURES.mkdir(exist_ok=True)
    return lambda name: page.screenshot(path=PICTURES / f"{name}.png") and None


@pytest.fixture(scope="session")
def project(new_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project where a contract was once red; prod shows a release, and a plan of the next waits for approval."""
    shop = copy_of(new_project, tmp_path_factory.mktemp("browser") / new_project.name)
    _do(shop, "release", "build")
    _do(shop, "promote", "--to", "staging")
    plan = _do(shop, "plan", "--to", "prod", "--json", expect=1).json["id"]
    _do(shop, "approve", plan)
    _do(shop, "promote", "--to", "prod", "--plan", plan)

    contract, orders = shop / "contracts" / "orders.odcs.yaml", shop / "data" / "orders.csv"
    good = contract.read_text()
    contract.write_text(good.replace(QUANTITY, "{minimum: 3, maximum: 100}"))
    _do(shop, "run", expect=1)
    contract.write_text(good)
    changed, count = re.subn(r"(?m)^(o330\d,.*,)\d+(,[\d.]+,\d+,\w+)$", r"\g<1>77\2", orders.read_text())
    assert count
    orders.write_text(changed)
    _do(shop, "run")
    commit_all(shop, "Many pieces")
    _do(shop, "release", "build")
    _do(shop, "promote", "--to", "staging")
    _do(shop, "plan", "--to", "prod", expect=1)
    return shop


@pytest.fixture(scope="session")
def shop(project: Path) -> Iterator[Shop]:
    """The project with its servers, as `dataops up` starts them."""
    ports = _free_ports(2)
    started = [BIN / "dataops", "up", "--port", str(ports[0]), "--mlflow-port", str(ports[1])]
    environment = {k: v for k, v in os.environ.items() if k not in ("DAGSTER_HOME", "DATAOPS_ENV")}
    with subprocess.Popen(started, cwd=project, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            said = []
            for line in server.stdout:
                said.append(line)
                if line.startswith("ready"):
                    break
            assert said[-1:] and said[-1].startswith("ready"), said
            yield Shop(project, f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def _do(shop: Path, *arguments: str, expect: int = 0) -> Said:
    said = run_dataops(shop, *arguments)
    assert said.exit_code == expect, said.text
    return said


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports
