"""The CI files of a new project: the same jobs on both, and each command is run, in the order of a change."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
import yaml

from dataops_platform.template.bake import bake
from tests.fixtures.command_line import commit_all, git
from tests.fixtures.new_project import copy_of
from tests.fixtures.terminal import BIN, ROOT

JOBS = ["check", "test", "build-branch", "drop-branch", "deploy-staging", "promote-prod"]
ANSWERS = {"name": "my-shop", "team": "data", "catalog": "sqlite", "deployment": "none"}
GH = '#!/bin/sh\necho "$@" >> gh-was-called.txt\ncat "$5" >> gh-was-called.txt\n'


def pushed(made: Path) -> Path:
    """The project, committed and pushed, in the environment of these tests."""
    folder = made.parent
    (made / ".venv").symlink_to(ROOT / ".venv" if (ROOT / ".venv").exists() else BIN.parent)
    (made / ".gitignore").write_text((made / ".gitignore").read_text() + ".venv\ngh-was-called.txt\ncontracts.md\n")
    commit_all(made, "A shop")
    git(folder, "clone", "--quiet", "--bare", str(made), str(folder / "origin.git"))
    git(made, "remote", "add", "origin", str(folder / "origin.git"))
    git(made, "fetch", "--quiet", "origin")
    return made


def github_commands(folder: Path) -> dict[str, list[str]]:
    """The commands of each job."""
    text = (folder / ".github" / "workflows" / "dataops.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    return {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}


def gitlab_commands(folder: Path) -> dict[str, list[str]]:
    """The commands of each job."""
    jobs = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())
    return {name: job["script"] for name, job in jobs.items() if isinstance(job, dict) and "script" in job}


def run_job(folder: Path, commands: list[str], **variables: str) -> str:
    """What a job prints; each command must succeed, as on a runner."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if k not in ("DAGSTER_HOME", "DATAOPS_ENV")}
    environment = {
        **kept,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "GITHUB_STEP_SUMMARY": str(folder.parent / "summary.md"),
        "DATAOPS_ACTOR": "runner",
        **variables,
    }
    script = "\n".join(command.replace("make ", "make -o .venv/.ready ") for command in commands)
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_both_have_the_same_jobs_which_do_the_same(tmp_path: Path) -> None:
    github = github_commands(bake({**ANSWERS, "ci": "github"}, tmp_path / "github"))
    gitlab = gitlab_commands(bake({**ANSWERS, "ci": "gitlab"}, tmp_path / "gitlab"))
    assert list(github) == JOBS
    assert sorted(gitlab) == sorted(JOBS)

    def plain(commands: list[str]) -> list[str]:
        texts = [re.sub(r"\$(NUMBER|CI_MERGE_REQUEST_IID)", "N", command) for command in commands]
        return [re.sub(r" >> .*", "", text) for text in texts]

    for job in JOBS[1:]:
        assert plain(github[job]) == plain(gitlab[job])
    diff = [command for command in github["check"] if "contracts diff" in command]
    assert diff == [gitlab["check"][1].replace('"origin/$CI_DEFAULT_BRANCH"', "origin/main").split(" || ")[1]]
    assert "make check" in github["check"] and "make check" in gitlab["check"]


@pytest.mark.journey
def test_a_change_goes_from_a_pull_request_to_prod_by_the_commands_of_github(new_project: Path, tmp_path: Path) -> None:
    shop = pushed(copy_of(new_project, tmp_path / "my-shop"))
    jobs = github_commands(shop)
    assert "staging shows release" in run_job(shop, jobs["deploy-staging"])
    _approved_by_somebody(shop)
    assert "prod shows release" in run_job(shop, jobs["promote-prod"])
    assert "every gate lets it pass" in (tmp_path / "summary.md").read_text()

    git(shop, "switch", "--quiet", "--create", "change")
    contract = shop / "contracts" / "orders.odcs.yaml"
    contract.write_text(
        contract.read_text().replace("version: 1.0.0", "version: 1.0.1").replace("Every order", "All orders")
    )
    commit_all(shop, "Say it better")
    run_job(shop, jobs["check"], NUMBER="12")
    told = (shop / "gh-was-called.txt").read_text()
    assert "pr comment 12 --body-file contracts.md" in told
    assert "orders" in told
    assert jobs["test"] == ["make test"], "typed in a new project by test_ten_minutes"
    built = run_job(shop, jobs["build-branch"], NUMBER="12")
    assert ("pr_12 made from prod" in built, "pr_12 shows publication" in built) == (True, True)
    assert "pr_12 dropped" in run_job(shop, jobs["drop-branch"], NUMBER="12")

    contract.write_text(contract.read_text().replace("returned, logicalType: boolean", "returned, logicalType: string"))
    commit_all(shop, "Break what others read")
    with pytest.raises(AssertionError):
        run_job(shop, jobs["check"][1:2], NUMBER="12")
    assert "breaking" in (shop / "contracts.md").read_text()


@pytest.fixture
def notes() -> Iterator[tuple[str, list[str]]]:
    """The address of a server that takes notes as GitLab does, and the notes."""
    taken: list[str] = []

    class Notes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            taken.append(f"{self.path} {self.headers['PRIVATE-TOKEN']} {unquote_plus(body)}")
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Notes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()


@pytest.mark.journey
def test_the_note_of_gitlab_is_written_also_when_the_change_breaks(
    tmp_path: Path, notes: tuple[str, list[str]]
) -> None:
    address, taken = notes
    shop = pushed(bake({**ANSWERS, "ci": "gitlab"}, tmp_path))
    commands = gitlab_commands(shop)["check"]
    variables = {
        "CI_DEFAULT_BRANCH": "main",
        "CI_API_V4_URL": address,
        "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "12",
        "REPORTER": "token",
    }
    run_job(shop, commands, **variables)
    contract = shop / "contracts" / "orders.odcs.yaml"
    contract.write_text(contract.read_text().replace("returned, logicalType: boolean", "returned, logicalType: string"))
    commit_all(shop, "Break what others read")
    with pytest.raises(AssertionError):
        run_job(shop, commands, **variables)
    assert [note.partition(" body=")[0] for note in taken] == ["/projects/7/merge_requests/12/notes token"] * 2
    assert "returned" in taken[1]


def _approved_by_somebody(shop: Path) -> None:
    said = run_job(shop, [".venv/bin/dataops plan --to prod --json > plan.json || true", "cat plan.json; rm plan.json"])
    plan = re.search(r'"id": "(sha256:\w+)"', said)
    assert plan
    run_job(shop, [f".venv/bin/dataops approve {plan[1]}"], DATAOPS_ACTOR="somebody")
