"""Dagster's web server shows the workspace: without a warning, with the stages as groups."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.terminal import BIN, clone_of_the_repository
from tests.fixtures.terminal import command as run_command

pytestmark = pytest.mark.journey

QUERY = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  location { name } jobs { name } assetNodes { assetKey { path } groupName }
} } } }"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a web server on the workspace of a fresh clone, and the file it writes to."""
    clone, log = clone_of_the_repository(tmp_path / "clone"), tmp_path / "said.txt"
    assert run_command(clone / "examples" / "flights", "dataops", "status").exit_code == 0
    home = clone / "examples" / "flights" / ".dataops" / "dagster"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(BIN / "dagster-webserver"), "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with log.open("w") as said:
        process = subprocess.Popen(
            command, cwd=clone, env={**os.environ, "DAGSTER_HOME": str(home)}, stdout=said, stderr=said
        )
        try:
            yield f"http://127.0.0.1:{port}/graphql", log
        finally:
            process.kill()
            process.wait()


def asked(address: str, query: str) -> Any:
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    for _ in range(120):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["data"]
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(address)


def test_the_web_server_loads_the_workspace_without_a_warning(server: tuple[str, Path]) -> None:
    address, log = server
    found, *others = sorted(
        asked(address, QUERY)["repositoriesOrError"]["nodes"], key=lambda node: str(node["location"]["name"])
    )
    assert [node["location"]["name"] for node in (found, *others)] == ["flights_dev", "flights_prod", "flights_staging"]
    assert "run_dev" in {job["name"] for job in found["jobs"]}
    groups = {node["groupName"] for node in found["assetNodes"]}
    assert groups == {"extract", "clean", "transform", "train", "score", "publish", "release"}
    assert {node["assetKey"]["path"][0] for node in found["assetNodes"]} == {"dev"}
    told = [line for line in log.read_text().splitlines() if re.search("warn|error|Traceback", line, re.IGNORECASE)]
    assert told == []
