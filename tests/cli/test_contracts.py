"""`dataops contracts`: what a team without a lake, a project or Dagster can do with a contract and a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dataops_platform.cli.main import app

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
team: {name: shop}
schema:
  - name: orders
    properties:
      - {name: order, logicalType: integer, primaryKey: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}, deprecated: true}
"""


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A contract in a folder of its own."""
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    return path


def contracts(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["contracts", *map(str, arguments)], catch_exceptions=False)


@pytest.mark.parametrize("command", ["lint", "test", "diff"])
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
    assert (asked.exit_code, "DP-C017" in asked.stderr, "--with known=FILE" in asked.stderr) == (2, True, True)
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


def test_two_files_are_compared_without_a_project_of_their_own(orders: Path) -> None:
    old = orders / "contracts" / "orders.odcs.yaml"
    new = orders / "new.odcs.yaml"
    new.write_text(old.read_text().replace("minimum: 0", "minimum: -1"))
    said = contracts("diff", old, new, "--project", orders, "--json")
    assert said.exit_code == 1
    (found,) = json.loads(said.stdout)["contracts"]
    assert [(c["level"], c["column"]) for c in found["changes"]] == [("breaking", "amount")]
    wrong = contracts("diff", "no-such-revision", "--project", orders)
    assert (wrong.exit_code, "DP-C018" in wrong.stderr) == (2, True)
