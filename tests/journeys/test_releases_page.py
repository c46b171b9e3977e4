"""`docs/releases.md` and the README's commands of releases are true: run from the top on a small project in git."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from dataops_platform.cli.main import app
from dataops_platform.settings.environments import GateSettings
from dataops_platform.settings.project import load_project
from tests.fixtures.command_line import commit_all, run_dataops

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "releases.md").read_text()


def blocks(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(language: str, text: str = TEXT) -> Iterator[tuple[str, list[str], int]]:
    """Who acts, what is said to `dataops`, and how it ends."""
    for line in "".join(blocks(language, text)).splitlines():
        said, _, comment = line.partition("#")
        words = shlex.split(said)
        actor = words.pop(0).partition("=")[2] if words[0].startswith("DATAOPS_ACTOR=") else ""
        ends = re.search(r"ends with (\d)", comment)
        assert words[0] == "dataops", line
        yield actor, words[1:], int(ends[1]) if ends else 0


@pytest.mark.journey
def test_every_command_of_the_page_ends_as_it_says(in_git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = (in_git / "dataops.yaml").read_text().partition("\nroles:")[0]
    (in_git / "dataops.yaml").write_text(f"{settings}\n{blocks('yaml')[0]}")
    (in_git / "src" / "orders_project" / "gates.py").write_text(blocks("python")[0])
    commit_all(in_git, "As the page has it")
    monkeypatch.setenv("DATAOPS_ACTOR", "ann")
    names: dict[str, str] = {}
    for actor, words, ends in commands("bash"):
        if actor:
            monkeypatch.setenv("DATAOPS_ACTOR", actor)
        said = run_dataops(in_git, *(names.get(word, word) for word in words))
        assert said.exit_code == ends, f"{words}: {said.text}"
        if words[0] == "plan":
            names["PLAN"] = run_dataops(in_git, *words, "--json").json["id"]
        if words[:2] == ["release", "build"]:
            names["RELEASE"] = run_dataops(in_git, "release", "list", "--json").json[0]["id"]
    assert load_project(in_git, "prod").here.schedule


@pytest.mark.journey
def test_the_commands_of_the_readme_move_prod_twice_and_back(in_git: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = "{from: staging, gates: [{approval: {by: [somebody], four_eyes: false}}], schedule"
    settings = (in_git / "dataops.yaml").read_text().replace("{from: staging, schedule", gate)
    (in_git / "dataops.yaml").write_text(settings)
    commit_all(in_git, "Somebody approves")
    monkeypatch.setenv("DATAOPS_ACTOR", "somebody")
    readme = (ROOT / "README.md").read_text().partition("## From dev to prod, and back")[2].partition("\n## ")[0]
    *forward, back = [words for _, words, _ in commands("console", readme)]
    assert (len(forward), back) == (5, ["rollback", "prod"])
    shown = []
    for amount in ("12.25", "99.00"):
        orders = in_git / "data" / "orders.csv"
        orders.write_text(orders.read_text().replace("12.25", amount))
        commit_all(in_git, f"An order of {amount}") if amount != "12.25" else None
        assert run_dataops(in_git, "run").exit_code == 0
        plan = ""
        for words in forward:
            said = run_dataops(in_git, *(plan if word == "PLAN" else word for word in words), "--json")
            assert said.exit_code == (words[0] == "plan"), f"{words}: {said.text}"
            plan = said.json["id"] if words[0] == "plan" else plan
        shown.append(run_dataops(in_git, "release", "show", "--at", "2100-01-01", "--env", "prod", "--json").json)
    assert shown[0]["release"]["id"] != shown[1]["release"]["id"]
    returned = run_dataops(in_git, *back, "--json")
    assert returned.exit_code == 0, returned.text
    assert returned.json["release"] == shown[0]["release"]["id"]


def test_the_commands_that_need_a_model_are_commands() -> None:
    found = list(commands("console"))
    assert found
    for _, words, _ in found:
        command = typer.main.get_command(app)
        while words and not words[0].startswith("-") and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_the_page_has_every_gate() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == list(GateSettings.model_fields)
