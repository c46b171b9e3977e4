"""A release is promoted and taken back on Dagster's pages, while the servers run; locations follow by themselves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.command_line import Said, commit_all, git
from tests.fixtures.terminal import BIN
from tests.release.in_dagster.conftest import add_releases, shown

pytestmark = pytest.mark.journey

PATIENCE_S = 120
WORKSPACE = """\
load_from:
  - python_module: {module_name: dataops_platform.locations, attribute: staging, location_name: orders_staging}
"""
LAUNCH = """mutation ($to: ExecutionParams!) { launchRun(executionParams: $to) {
  __typename ... on LaunchRunSuccess { run { runId } } } }"""
RUN = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
DESCRIPTIONS = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  assetNodes { assetKey { path } description } } } } }"""
Ask = Callable[..., Any]


@pytest.fixture
def project(in_git: Path, dataops: Callable[..., Said]) -> Path:
    """The small project, locked; staging shows its first release, and a second one is built."""
    (in_git / "workspace.yaml").write_text(WORKSPACE)
    (in_git / "uv.lock").write_text("version = 1\n")
    add_releases(in_git)
    for command in (("release", "build"), ("promote", "--to", "staging")):
        assert dataops(*command).exit_code == 0
    function = in_git / "src" / "orders_project" / "cleaning.py"
    function.write_text(function.read_text().replace("strip_chars()", "strip_chars().str.to_uppercase()"))
    commit_all(in_git, "Loud names")
    for command in (("run",), ("release", "build")):
        assert dataops(*command).exit_code == 0
    return in_git


@pytest.fixture
def ask(project: Path, tmp_path: Path) -> Iterator[Ask]:
    """Asks a web server, which runs beside a daemon on the project, a question in GraphQL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    home = project / ".dataops" / "dagster"
    shutil.rmtree(home / "logs", ignore_errors=True)
    environment = {k: v for k, v in os.environ.items() if k != "DATAOPS_ENV"}
    environment |= {"DAGSTER_HOME": str(home), "DATAOPS_DAGSTER_URL": address}
    commands = (
        [str(BIN / "dagster-webserver"), "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)],
        [str(BIN / "dagster-daemon"), "run", "-w", "workspace.yaml"],
    )

    def asked(query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)["data"]

    with (tmp_path / "said.txt").open("w") as said:
        servers = [
            subprocess.Popen(command, cwd=project, env=environment, stdout=said, stderr=said, start_new_session=True)
            for command in commands
        ]
        try:
            yield asked
        finally:
            for server in servers:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def until(wanted: Callable[[], Any], what: str) -> Any:
    """Waits until `wanted` gives something; gives that."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            found = wanted()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.5)
    raise TimeoutError(what)


def location_says(ask: Ask, text: str) -> None:
    """Waits until the page of `staging/release` says something: that its location was loaded so."""

    def says() -> bool:
        nodes = [
            node for one in ask(DESCRIPTIONS)["repositoriesOrError"].get("nodes", []) for node in one["assetNodes"]
        ]
        return any(n["assetKey"]["path"] == ["staging", "release"] and text in n["description"] for n in nodes)

    until(says, text)


def run(ask: Ask, job: str, assets: Sequence[str] = (), **config: Any) -> str:
    """Launches a job as the launchpad does, or assets of staging, and waits for the end; gives the status."""
    selector = {"repositoryName": "__repository__", "repositoryLocationName": "orders_staging", "pipelineName": job}
    ops = {"ops": {job.partition("_")[0]: {"config": config}}} if config else {}
    chosen = {"assetSelection": [{"path": ["staging", name]} for name in assets]} if assets else {}
    to = {"selector": selector | chosen, "mode": "default", "runConfigData": ops}
    launched = ask(LAUNCH, to=to)["launchRun"]

    def ended() -> str:
        status = str(ask(RUN, id=launched["run"]["runId"])["runOrError"]["status"])
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else ""

    return str(until(ended, f"{job} ends"))


def test_promotion_and_rollback_on_dagsters_pages_and_the_location_follows(project: Path, ask: Ask) -> None:
    second, first = git(project, "log", "--format=%H", "-2").split()
    before = shown(project, "staging")
    location_says(ask, f"Code: commit {first[:12]}.")
    (project / "uv.lock").write_text("version = 1\n# edited while the servers run\n")
    assert run(ask, "__ASSET_JOB", ["release"]) == "SUCCESS", "the interpreter is the same as before"
    (project / "uv.lock").write_text("version = 1\n")
    assert run(ask, "promote_to_staging", release="", plan="") == "SUCCESS"
    promoted = shown(project, "staging")
    assert promoted.release != before.release
    location_says(ask, f"Code: commit {second[:12]}.")
    assert run(ask, "rollback_staging", to="", data=False) == "SUCCESS"
    back = shown(project, "staging")
    assert (back.release, back.publication, back.held) == (before.release, before.publication, True)
    location_says(ask, f"Code: commit {first[:12]}.")
