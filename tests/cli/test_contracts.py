"""`dataops contracts`: what a team without a lake, a project or Dagster can do with a contract and a file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dataops_platform.cli.main import app
from tests.fixtures.contract_head import contract_head

Run = Callable[..., Any]
CONTRACT = (
    contract_head()
    + """\
      - {name: order, logicalType: integer, primaryKey: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}, deprecated: true}
"""
)


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A contract in a folder of its own."""
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    return path


def contracts(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["contracts", *map(str, arguments)], catch_exceptions=False)


@pytest.mark.parametrize("command", ["lint", "sync", "test", "diff", "plan"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    assert f"Example: dataops contracts {command}" in contracts(command, "--help").output


def test_a_file_that_breaks_a_contract_ends_with_one_and_names_rule_and_row(contract: Path, tmp_path: Path) -> None:
    rows = tmp_path / "orders.csv"
    rows.write_text("order,amount\n1,5\n2,-1\n2,3\n3,NA\n4,\n")
    said = contracts("test", contract, rows, "--json", "--null", "NA")
    found = json.loads(said.stdout)
    assert (said.exit_code, found["holds"], found["rows_in"], found["rows_refused"]) == (1, False, 5, 4)
    failing = {v["rule"]: v["failing_rows"] for v in found["verdicts"] if v["failing_rows"]}
    assert failing == {"amount:minimum": 1, "amount:required": 2, "primary_key": 2}
    assert found["sample"][0] == {"line": 3, "rules": "amount:minimum, primary_key", "order": "2", "amount": "-1"}
    people = contracts("test", contract, rows)
    assert "orders 1.0.0 is BROKEN: 4 of 5 rows refused" in people.stdout


def test_a_contract_is_compiled_to_a_file_that_says_what_is_asked(contract: Path, tmp_path: Path) -> None:
    plan = tmp_path / "new" / "orders.plan.json"
    said = contracts("plan", contract, "--out", plan)
    assert said.exit_code == 0
    assert '"amount" < 0' in said.stdout
    assert json.loads(plan.read_text())["violations"]["amount:minimum"] == '"amount" < 0'
    again = plan.read_bytes()
    contracts("plan", contract, "--out", plan)
    assert plan.read_bytes() == again
    rows = tmp_path / "orders.csv"
    rows.write_text("order,amount\n1,5\n2,-1\n")
    assert "orders 1.0.0 is BROKEN: 1 of 2 rows refused" in contracts("test", plan, rows).stdout
    refused = contracts("plan", contract, "--out", contract / "x.plan.json")
    assert (refused.exit_code, "DP-C032" in refused.output) == (2, True)
    unnamed = contracts("plan", contract, "--out", tmp_path / "orders.json")
    assert (unnamed.exit_code, "orders.plan.json" in unnamed.output) == (2, True)


def test_two_files_are_compared_where_there_is_no_project(
    contract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("new.odcs.yaml").write_text(CONTRACT.replace("minimum: 0", "minimum: -1"))
    said = contracts("diff", contract.name, "new.odcs.yaml", "--json")
    assert (said.exit_code, json.loads(said.stdout)["contracts"][0]["level"]) == (1, "breaking")
    assert "DP-P001" in contracts("diff", "main").output
    missing = contracts("diff", contract.name, "nope.odcs.yaml")
    assert (missing.exit_code, "DP-C018 'nope.odcs.yaml' is not a file" in missing.output) == (2, True)


def test_one_file_is_compared_with_a_revision_where_there_is_no_project(
    contract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other.odcs.yaml").write_text(CONTRACT.replace("orders", "others"))
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init"], ["add", "."], [*who, "commit", "-m", "."]):
        subprocess.run(["git", *command], check=True, capture_output=True)
    assert "nothing changed" in contracts("diff", "HEAD", contract.name).output
    contract.write_text(CONTRACT.replace("minimum: 0", "minimum: -1"))
    for new in (contract.name, "."):
        said = contracts("diff", "HEAD", new, "--json")
        assert [(c["name"], c["level"]) for c in json.loads(said.stdout)["contracts"]] == [("orders", "breaking")]
        assert said.exit_code == 1


def test_what_is_no_file_of_rows_is_told_as_such(contract: Path, tmp_path: Path) -> None:
    assert "DP-E009 There is no file nope.csv" in contracts("test", contract, tmp_path / "nope.csv").output
    assert "is a folder" in contracts("test", contract, tmp_path).output


def test_a_file_that_holds_ends_with_zero(contract: Path, tmp_path: Path) -> None:
    rows = tmp_path / "orders.csv"
    rows.write_text("order,amount\n1,5\n2,1\n")
    said = contracts("test", contract, rows)
    assert (said.exit_code, "orders 1.0.0 holds: 0 of 2 rows refused" in said.stdout) == (0, True)


def test_a_reference_is_asked_for_and_used(contract: Path, tmp_path: Path) -> None:
    contract.write_text(CONTRACT.replace("primaryKey: true}", "primaryKey: true, relationships: [{to: known.id}]}"))
    rows, known = tmp_path / "orders.csv", tmp_path / "known.csv"
    rows.write_text("order,amount\n1,5\n2,1\n")
    known.write_text("id\n1\n")
    asked = contracts("test", contract, rows)
    assert (asked.exit_code, "DP-C056" in asked.stderr, "--with known=FILE" in asked.stderr) == (2, True, True)
    said = contracts("test", contract, rows, "--with", f"known={known}", "--json")
    failing = [v["rule"] for v in json.loads(said.stdout)["verdicts"] if v["failing_rows"]]
    assert failing == ["order:relationship"]
    assert contracts("test", contract, rows, "--with", "known").exit_code == 2


def test_lint_says_what_is_not_enforced_and_refuses_what_cannot_be_run(contract: Path) -> None:
    said = contracts("lint", contract)
    assert said.exit_code == 0
    assert "not enforced: orders.odcs.yaml:10:" in said.stdout
    assert "deprecated" in said.stdout
    contract.write_text(CONTRACT + "    quality: [{name: odd, engine: duckdb, implementation: amount + 1}]\n")
    refused = contracts("lint", contract)
    assert (refused.exit_code, "DP-C007" in refused.stderr) == (2, True)


def test_lint_names_a_column_that_another_contract_does_not_have(contract: Path) -> None:
    contract.write_text(CONTRACT.replace("primaryKey: true}", "primaryKey: true, relationships: [{to: known.idd}]}"))
    known = contract.with_name("known.odcs.yaml")
    known.write_text(CONTRACT.replace("orders", "known").replace("name: order,", "name: id,"))
    assert contracts("lint", contract).exit_code == 0
    said = contracts("lint", contract, known)
    assert said.exit_code == 2
    assert (
        "DP-C017 orders.odcs.yaml:9:79 refers to known.idd, but table known has no such column; did you mean 'id'?"
        in said.stderr
    )


def test_two_files_are_compared_without_a_project_of_their_own(orders: Path, dataops: Run) -> None:
    old = orders / "contracts" / "orders.odcs.yaml"
    new = orders / "new.odcs.yaml"
    new.write_text(old.read_text().replace("minimum: 0", "minimum: -1"))
    said = dataops("contracts", "diff", str(old), str(new), "--json")
    assert said.exit_code == 1
    (found,) = said.json["contracts"]
    assert [(c["level"], c["column"]) for c in found["changes"]] == [("breaking", "amount")]
    wrong = dataops("contracts", "diff", "no-such-revision")
    assert (wrong.exit_code, "DP-C018" in wrong.err) == (2, True)


def test_a_dashboard_that_reads_what_breaks_is_named(orders: Path, dataops: Run) -> None:
    (orders / "dbt" / "models" / "exposures.yml").write_text(EXPOSURES)
    contract, old = orders / "contracts" / "monthly_sales.odcs.yaml", orders / "old.odcs.yaml"
    old.write_text(contract.read_text())
    contract.write_text(old.read_text().replace("name: amount", "name: total"))
    said = dataops("contracts", "diff", str(old), str(contract), "--json")
    (found,) = said.json["contracts"]
    assert (said.exit_code, found["level"]) == (1, "breaking")
    assert found["hits"] == [
        {"name": "sales_dashboard", "kind": "dashboard", "through": "monthly_sales", "owners": ["team:sales"]}
    ]


EXPOSURES = """\
exposures:
  - {name: sales_dashboard, type: dashboard, owner: {name: "team:sales"}, depends_on: ["ref('monthly_sales')"]}
  - {name: stock, type: notebook, owner: {email: stock@shop.example}, depends_on: ["source('clean', 'customers')"]}
"""
