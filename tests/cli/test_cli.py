"""The command line: help that helps, one JSON document, one message for an error."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main
from typer.testing import CliRunner

from dataops_platform.cli import output
from dataops_platform.cli.main import app

Run = Callable[..., Any]


def test_every_command_has_help_with_an_example() -> None:
    for command in commands(typer.main.get_command(app)):
        text = command.get_help(typer.Context(command))
        assert re.search(rf"Example: dataops ([a-z]+ )*{command.name}\b", text), command.name
        assert ("--json" in text) != (command.name == "up"), command.name


def commands(group: Any) -> Iterator[Any]:
    """All commands of a group and of the groups in it."""
    for command in group.commands.values():
        yield from commands(command) if hasattr(command, "commands") else [command]


def test_every_command_reports_errors_and_does_nothing_before(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reports(Exception):
        pass

    def errors_shown(as_json: bool) -> None:
        raise Reports

    monkeypatch.setattr(output, "errors_shown", errors_shown)
    for command in commands(typer.main.get_command(app)):
        with pytest.raises(Reports):
            command.callback()


def test_the_help_is_quick_and_loads_nothing_heavy() -> None:
    code = "import sys, dataops_platform.cli.main; print([m for m in ('dagster', 'duckdb') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_sql_answers_from_what_is_published(published: Path, dataops: Run) -> None:
    said = dataops("sql", "select customer, amount from monthly_sales where month = '2024-02-01' order by 1", "--json")
    assert said.json == [{"customer": "bob", "amount": 3.0}, {"customer": "cid", "amount": 12.25}]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("drop table orders", "DP-Q001"),
        ("select 1; select 2", "DP-Q001"),
        ("copy orders to 'out.csv'", "DP-Q001"),
        ("select * from read_text('/etc/passwd')", "DP-Q004"),
        ("select * from ordrs", "DP-Q002"),
        ("selec", "DP-Q008"),
    ],
)
def test_sql_refuses_all_but_one_select(query: str, code: str, published: Path, dataops: Run) -> None:
    said = dataops("sql", query)
    assert (said.exit_code, said.err.startswith(code), said.out) == (2, True, "")


def test_sql_without_a_lake_says_what_to_do(orders: Path, dataops: Run) -> None:
    said = dataops("sql", "select 1")
    assert (said.exit_code, "DP-W001" in said.err, "dataops run" in said.err) == (2, True, True)


def test_an_error_in_json_is_one_document(orders: Path, dataops: Run) -> None:
    said = dataops("sql", "select 1", "--json")
    error = said.json["error"]
    assert (error["code"], error["fields"]) == ("DP-W001", {"catalog": "lake.sqlite"})
    assert error["exit_code"] == said.exit_code == 2


def test_a_code_is_explained_by_an_example_its_exit_status_and_what_to_do() -> None:
    said = CliRunner().invoke(app, ["explain", "dp-p101"])
    assert said.exit_code == 0
    assert said.stdout.split("\n")[:3] == [
        "DP-P101  settings and publications; exit status 1: a contract, a gate or a rule does not hold; "
        "nothing is changed",
        "  The cut is not consistent: sales was made from an older orders. Publication, dev.",
        "  -> Rebuild them: dataops run --select sales; nothing was published",
    ]
    (entry,) = json.loads(CliRunner().invoke(app, ["explain", "DP-P101", "--json"]).stdout)
    assert (entry["message"], entry["kind"]) == ("The cut is not consistent: {stale}", "refused")
    assert (entry["exit_code"], set(entry["example"])) == (1, {"stale", "environment", "names"})
    assert len(json.loads(CliRunner().invoke(app, ["explain", "--json"]).stdout)) > 250


def test_the_nearest_code_is_named() -> None:
    said = CliRunner().invoke(app, ["explain", "DP-P1O1"])
    assert (said.exit_code, said.stderr.startswith("DP-X002 No message has the code 'DP-P1O1'; did you mean")) == (
        2,
        True,
    )


def test_outside_a_project_the_folder_is_named(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"}
    command = [str(Path(sys.executable).with_name("dataops")), "run"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"DP-P001 There is no dataops.yaml in {tmp_path}")


def test_an_unknown_environment_is_refused(published: Path, dataops: Run) -> None:
    said = dataops("status", "--env", "prd")
    assert (said.exit_code, "DP-P004" in said.err) == (2, True)


def test_what_duckdb_says_of_ctrl_c_is_ctrl_c() -> None:
    from dataops_platform.cli.output import errors_shown

    with pytest.raises(typer.Exit) as ended, errors_shown(as_json=False):
        raise RuntimeError("Query interrupted")
    assert ended.value.exit_code == 130
    with pytest.raises(RuntimeError, match="anything else"), errors_shown(as_json=False):
        raise RuntimeError("anything else")


@pytest.mark.parametrize("name", ["", "contracts", "nowhere/board.html"])
def test_a_board_that_cannot_be_written_leaves_nothing_behind(name: str, published: Path, dataops: Run) -> None:
    before = {path.name for path in published.iterdir()}
    said = dataops("status", "--html", str(published / name) if name else "")
    assert (said.exit_code, said.text.partition(" ")[0]) == (2, "DP-R022")
    assert {path.name for path in published.iterdir()} == before


def test_an_empty_answer_is_an_answer_and_without_answers_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments, code in (
        (("--no-input", "--", ""), "DP-N001"),
        (("--no-input", "--team", ""), "DP-N001"),
        ((), "DP-N005"),
    ):
        said = CliRunner().invoke(app, ["init", *arguments], input="")
        assert (said.exit_code, code in said.stderr) == (2, True), said.output
    assert list(tmp_path.iterdir()) == []


def test_what_was_shown_at_a_moment_must_be_a_moment(published: Path, dataops: Run) -> None:
    for moment, code in (("", "DP-L065"), ("yesterday", "DP-L065"), ("2013-01-01", "DP-L016")):
        said = dataops("release", "at", moment)
        assert (said.exit_code, said.text.partition(" ")[0]) == (2, code)
    assert "event 1" in dataops("release", "at", "2100-01-01").out
