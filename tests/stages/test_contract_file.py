"""Contracts as dbt's YAML: dbt takes what is written, nothing by hand is lost, and what drifts is named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.engine import judge
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.orchestration.defs_files import dbt_folders
from dataops_platform.settings.project import Project, load_project
from dataops_platform.stages.transform.conflicts import differences
from dataops_platform.stages.transform.contract_file import MARK
from dataops_platform.stages.transform.dbt_run import run_dbt
from dataops_platform.stages.transform.graph import read_graph
from dataops_platform.stages.transform.profile import DbtPaths
from dataops_platform.warehouse import foreign_write
from dataops_platform.warehouse.open import lake_of
from dataops_platform.warehouse.staging import qualified
from tests.fixtures.command_line import run_dataops

Run = Callable[..., Any]
GENERATED = "dbt/models/contracts.generated.yml"
HEAD = "apiVersion: v3.2.0\nkind: DataContract\nversion: 1.0.0\nteam: {name: shop}\n"
VISITS = """\
id: visits
description: {purpose: "What {{ nobody }} renders, {% even %} so."}
schema:
  - name: visits
    properties:
      - {name: visit, logicalType: integer, primaryKey: true}
      - {name: order, logicalType: integer, unique: true, description: "Called {{ order }}: the shop's."}
      - name: day
        logicalType: date
        quality: [{type: library, metric: nullValues, mustBe: 0, severity: warning}]
      - {name: customer, logicalType: string, required: true, relationships: [{to: customers.customer}]}
      - {name: region, logicalType: string, relationships: [{to: regions.group}]}
      - {name: mood, logicalType: string, enum: [{value: "don't {{ know }}"}, {value: fine}]}
      - {name: grade, logicalType: number, enum: [{value: 1}, {value: 2.5}]}
      - {name: paid, logicalType: boolean, enum: [{value: true}]}
"""
REGIONS = """\
id: regions
schema: [{name: regions, properties: [{name: group, logicalType: string, primaryKey: true}]}]
"""
GOOD = """(1, 11, date '2024-01-01', 'ann', 'north', 'don''t {{ know }}', 1, true),
    (2, null, null, 'bob', null, null, null, null)"""
BAD = "(1, 11, date '2024-01-01', null, 'moon', 'odd', 3, false), (1, 11, null, 'eve', 'north', 'fine', 2.5, true)"


def visits(project: Path, rows: str) -> Path:
    """The project with one more model and one more seed, both with contracts, and nothing described by hand."""
    (project / "dbt" / "models" / "models.yml").unlink(missing_ok=True)
    (project / "contracts" / "visits.odcs.yaml").write_text(HEAD + VISITS)
    (project / "contracts" / "regions.odcs.yaml").write_text(HEAD + REGIONS)
    (project / "dbt" / "seeds").mkdir(exist_ok=True)
    (project / "dbt" / "seeds" / "regions.csv").write_text("group\nnorth\nsouth\n")
    (project / "dbt" / "models" / "visits.sql").write_text(
        f"{{% raw %}}select * from (values {rows})\n"
        'as t(visit, "order", day, customer, region, mood, grade, paid) {% endraw %}\n'
    )
    return project


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def broken_in_dbt(project: Project) -> dict[str, str]:
    paths = DbtPaths(project, project.root / "dbt")
    read_graph(project, paths.folder)
    with lake_of(project) as lake, foreign_write.exclusive(lake, "dev"):
        results = run_dbt(paths, lambda _: None)
    assert [(r.name, r.message) for r in results if r.status in ("error", "skipped")] == []
    return {r.name: r.status for r in results if r.kind == "test" and "_visits_" in r.name and r.failing_rows}


def broken_in_the_contract(project: Project) -> set[str]:
    contract = load_contract(project.root / "contracts" / "visits.odcs.yaml")
    names = {"visits": "visits", "customers": "customers", "regions": "regions"}
    tables = {name: qualified(project.build_schema, table) for name, table in names.items()}
    with lake_of(project, read_only=True) as lake:
        (audit,) = judge(lake.connection, tables["visits"], compile_contract(contract), references=tables).audits(
            [WHOLE]
        )
    return {verdict.rule for verdict in audit.verdicts if verdict.failing_rows}


@pytest.mark.journey
def test_dbt_has_nothing_to_warn_of_in_what_is_written(orders: Path, dataops: Run) -> None:
    assert dataops("contracts", "sync", "--project", str(visits(orders, GOOD))).exit_code == 0
    paths = DbtPaths(load_project(orders), orders / "dbt")
    command = [Path(sys.executable).with_name("dbt"), "--warn-error", "parse", "--no-partial-parse", *paths.arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    edit(
        orders / GENERATED,
        "arguments: {to: ref('regions'), field: '\"group\"'}",
        "to: ref('regions')\n              field: group",
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "Deprecat" in done.stdout) == (2, True), done.stdout


@pytest.mark.journey
def test_dbt_finds_the_rows_that_the_contract_finds(published: Path, dataops: Run) -> None:
    visits(published, GOOD)
    written = dataops("contracts", "sync", "--json")
    assert (written.exit_code, written.json["files"][0]["models"]) == (0, ["monthly_sales", "regions", "visits"])
    project = load_project(published)
    assert broken_in_dbt(project) == {"not_null_visits_day": "warn"}
    assert broken_in_the_contract(project) == {"day:nullValues"}

    visits(published, BAD)
    assert broken_in_dbt(project) == {
        "unique_visits_visit": "fail",
        "unique_visits__order_": "fail",
        "not_null_visits_day": "warn",
        "not_null_visits_customer": "fail",
        "relationships_visits_customer__customer__source_clean_customers_": "fail",
        "relationships_visits_region___group___ref_regions_": "fail",
        "accepted_values_visits_mood___don_t_know___fine": "fail",
        "accepted_values_visits_grade__False__1__2_5": "fail",
        "accepted_values_visits_paid__False__True": "fail",
    }
    assert broken_in_the_contract(project) == {  # a metric counts among the rows that hold all else: none
        "primary_key",
        "order:unique",
        "customer:required",
        "customer:relationship",
        "region:relationship",
        "mood:enum",
        "grade:enum",
        "paid:enum",
    }


@pytest.fixture
def free(orders: Path) -> Path:
    """The small project, its model described by nobody; `contracts sync` has written its file."""
    (orders / "dbt" / "models" / "models.yml").unlink()
    assert run_dataops(orders, "contracts", "sync").exit_code == 0
    return orders


@pytest.mark.journey
def test_a_second_sync_changes_nothing(free: Path, dataops: Run) -> None:
    file = free / GENERATED
    before = (file.read_bytes(), file.stat().st_mtime_ns)
    assert file.read_text().startswith("# Generated by `dataops contracts sync`")
    assert "# contracts/monthly_sales.odcs.yaml\n" in file.read_text()
    again = dataops("contracts", "sync", "--json")
    assert (again.exit_code, again.json["files"][0]["done"], again.json["drift"]) == (0, "unchanged", [])
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert dataops("contracts", "sync", "--check").exit_code == 0
    assert dataops("contracts", "lint").exit_code == 0


@pytest.mark.journey
def test_a_contract_that_changed_since_is_drift_until_it_is_synced(free: Path, dataops: Run) -> None:
    contract, file = free / "contracts" / "monthly_sales.odcs.yaml", free / GENERATED
    edit(contract, "name: amount, logicalType: number, required: true", "name: amount, logicalType: integer")
    edit(contract, "version: 1.0.0", "version: 2.0.0")
    before = file.read_bytes()
    expected = {
        "model": "monthly_sales",
        "place": f"{GENERATED}:8",
        "what": "config differs, amount is double, in the contract bigint",
    }
    for command in (["sync", "--check"], ["lint"]):
        said = dataops("contracts", *command, "--json")
        assert (said.exit_code, said.json["drift"]) == (1, [expected])
    assert "DP-C033" in dataops("contracts", "lint").text
    assert file.read_bytes() == before
    assert dataops("contracts", "sync").exit_code == 0
    assert dataops("contracts", "lint").exit_code == 0
    assert "data_tests" not in file.read_text().partition("name: amount")[2]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("version: 2\n", "version: 2  # mine\n", "was edited, though dbt reads the same in it"),
        ("name: monthly_sales", "name: weekly_sales", "is missing"),
        ("models:", "models: []\nother:", "is missing"),
        ("data_type: date", "data_type: text", "month is text, in the contract date"),
        ("[not_null]", "[unique]", "month has other data_tests"),
        (
            "- name: customer",
            "- name: client",
            "has column client, which the contract does not know, lacks column customer",
        ),
        ("models:\n", "<<<<<<< HEAD\nmodels:\n", "is no description of models"),
        ("models:\n", "models: 5\nother:\n", "is no description of models"),
    ],
)
def test_what_people_changed_in_the_file_is_named(old: str, new: str, what: str) -> None:
    wanted = f"""{MARK}
version: 2

models:
  - name: monthly_sales
    columns:
      - name: month
        data_type: date
        data_tests: [not_null]
      - name: customer
        data_type: varchar
"""
    assert old in wanted
    found = list(differences(wanted.replace(old, new, 1), wanted, "f.yml", {}))
    assert found[0].what == what
    assert found[0].place == ("f.yml:5" if "month" in what or "column" in what else "f.yml")


@pytest.mark.journey
def test_what_people_changed_in_the_file_is_put_right(free: Path, dataops: Run) -> None:
    wanted = (free / GENERATED).read_text()
    (free / GENERATED).write_text(wanted + "<<<<<<< HEAD\n")
    assert dataops("contracts", "sync").exit_code == 0
    assert (free / GENERATED).read_text() == wanted


def test_a_description_by_hand_stands_and_is_named(orders: Path, dataops: Run) -> None:
    by_hand = orders / "dbt" / "models" / "models.yml"
    before = by_hand.read_bytes()
    said = dataops("contracts", "sync", "--json")
    assert said.exit_code == 0
    assert said.json["files"][0]["by_hand"] == {"monthly_sales": "dbt/models/models.yml:4"}
    assert (by_hand.read_bytes(), (orders / GENERATED).exists()) == (before, False)
    assert "left alone" in dataops("contracts", "sync").text


@pytest.mark.journey
def test_a_description_by_hand_may_not_contradict_the_contract(orders: Path, dataops: Run) -> None:
    by_hand = orders / "dbt" / "models" / "models.yml"
    edit(
        orders / "contracts" / "monthly_sales.odcs.yaml",
        "customer, logicalType: string",
        "customer, logicalType: string, enum: [{value: ann}]",
    )
    edit(by_hand, "      - name: amount\n", "      - name: amount\n        data_type: DECIMAL(10, 2)\n")
    assert dataops("contracts", "lint").exit_code == 0  # a number all the same, and the contract asks for no other
    edit(by_hand, "DECIMAL(10, 2)", "varchar")
    values = "{accepted_values: {arguments: {values: [ann, bob]}}}"
    by_hand.write_text(
        by_hand.read_text() + f"      - name: customer\n        data_tests: [{values}]\n      - name: profit\n"
    )
    expected = [
        "amount is varchar, in the contract double",
        "has column profit, which the contract does not know",
        "customer may be ann, bob, in the contract ann",
    ]
    for command in (["lint"], ["sync", "--check"], ["sync"]):
        said = dataops("contracts", *command, "--json")
        assert (said.exit_code, [d["what"] for d in said.json["drift"]]) == (1, expected)
        assert {d["place"] for d in said.json["drift"]} == {"dbt/models/models.yml:4"}


@pytest.mark.journey
def test_a_model_described_twice_is_named_and_what_was_generated_gives_way(free: Path, dataops: Run) -> None:
    (free / "dbt" / "models" / "mine.yml").write_text("models:\n  - name: monthly_sales\n    description: Mine.\n")
    refused = dataops("status")
    assert (refused.exit_code, "two schema.yml entries" in refused.text) == (2, True)
    named = dataops("contracts", "lint", "--json")
    assert [d["what"] for d in named.json["drift"]] == ["is described in dbt/models/mine.yml:2, too"]
    assert dataops("contracts", "sync", "--json").json["files"][0]["done"] == "removed"
    assert not (free / GENERATED).exists()
    assert dataops("status").exit_code == 0


def test_a_project_that_never_synced_has_no_drift(orders: Path, dataops: Run) -> None:
    (orders / "dbt" / "models" / "models.yml").unlink()
    assert dataops("contracts", "lint", "--json").json["drift"] == []
    said = dataops("contracts", "sync", "--check", "--json")
    assert [d["what"] for d in said.json["drift"]] == ["is missing, with monthly_sales"]
    assert (said.exit_code, (orders / GENERATED).exists()) == (1, False)


@pytest.mark.journey
def test_a_contracted_column_that_a_model_does_not_make_is_named_before_it_runs(orders: Path, dataops: Run) -> None:
    edit(
        orders / "contracts" / "monthly_sales.odcs.yaml",
        "      - {name: amount",
        "      - {name: tax, logicalType: number}\n      - {name: amount",
    )
    said = dataops("contracts", "lint", "--json")
    assert [(d["place"], d["what"]) for d in said.json["drift"]] == [
        ("contracts/monthly_sales.odcs.yaml", "the model makes no column tax")
    ]
    model = orders / "dbt" / "models" / "monthly_sales.sql"
    plain = model.read_text()
    for unsure in (f"select * from (\n{plain}\n)", plain.replace("sum(amount)", "1 as {{ 'ta' ~ 'x' }}, sum(amount)")):
        model.write_text(unsure)
        assert dataops("contracts", "lint").exit_code == 0


@pytest.mark.journey
def test_mistakes_have_a_code_and_no_traceback(free: Path, dataops: Run) -> None:
    file, defs = free / GENERATED, free / "src" / "orders_project" / "defs" / "transform" / "defs.yaml"
    wanted = file.read_text()
    file.write_text("models: []\n")
    foreign = dataops("contracts", "sync")
    assert (foreign.exit_code, "DP-C031" in foreign.err, GENERATED in foreign.err) == (2, True, True)
    assert file.read_text() == "models: []\n"
    file.unlink()
    file.with_name(f"{file.name}.new").mkdir()
    unwritable = dataops("contracts", "sync")
    assert (unwritable.exit_code, "DP-C032" in unwritable.err) == (2, True)
    file.with_name(f"{file.name}.new").rmdir()
    edit(defs, "folder: dbt", "folder: dtb")
    missing = dataops("contracts", "sync")
    assert (missing.exit_code, "DP-P005" in missing.err, "did you mean 'dbt'" in missing.err) == (2, True, True)
    defs.write_text("type: [")
    broken = dataops("contracts", "sync")
    assert (broken.exit_code, "transform/defs.yaml is not valid YAML" in broken.err) == (2, True)
    defs.unlink()
    none = dataops("contracts", "sync")
    assert (none.exit_code, "DP-C030" in none.err) == (2, True)
    assert dataops("contracts", "lint").exit_code == 0
    assert wanted.startswith("# Generated")


def test_dbt_projects_are_found_in_files_of_several_components_and_templates_are_left_to_dagster(orders: Path) -> None:
    defs = orders / "src" / "orders_project" / "defs" / "transform" / "defs.yaml"
    (orders / "other").mkdir()
    transform = "type: dataops_platform.Transform\n"
    defs.write_text(
        f"type: dataops_platform.Publish\n---\n{transform}attributes: {{folder: other}}\n---\n{transform}"
        f"---\n{transform}attributes: {{folder: dbt}}\n---\n{transform}attributes: {{folder: '{{{{ env.DBT }}}}'}}\n"
    )
    assert dbt_folders(load_project(orders)) == [orders / "other", orders / "dbt"]


def test_lint_tells_of_waivers_that_have_ended_and_not_of_those_that_hold(orders: Path, dataops: Run) -> None:
    line = "  - {{contract: orders, version: 2.0.0, by: bob, why: nobody reads it, until: '{}'}}\n"
    waivers = "waivers:\n" + line.format("2013-03-01") + line.format("2999-01-01")
    (orders / "contracts" / "waivers.yaml").write_text(waivers)
    said = dataops("contracts", "lint")
    assert "waiver ended on 2013-03-01: orders 2.0.0, by bob" in said.text
    assert "2999" not in said.text
    assert [one["until"] for one in dataops("contracts", "lint", "--json").json["ended_waivers"]] == ["2013-03-01"]
