"""What a project holds depends on its inputs, not on what it went through to get there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

pytestmark = pytest.mark.journey

Run = Callable[..., Any]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def content(project: Path) -> dict[str, str]:
    with lake_of(load_project(project), read_only=True) as lake:
        return {name: head.digest for name, head in lake.heads("dev").items()}


def counts(project: Path, table: str) -> tuple[int, int, int]:
    with lake_of(load_project(project), read_only=True) as lake:
        manifests = lake.heads("dev")[table].manifests
    return (
        sum(m.rows_in for m in manifests),
        sum(m.rows_refused for m in manifests),
        sum(m.rows_audited for m in manifests),
    )


@pytest.mark.journey
def test_a_key_that_was_twice_in_two_months_is_judged_anew_when_one_is_corrected(published: Path, dataops: Run) -> None:
    before = content(published)
    edit(published / "src" / "orders_project" / "defs" / "clean" / "defs.yaml", "0.4", "0.9")
    edit(published / "data" / "orders.csv", "2024-02-02,4,", "2024-02-02,1,")
    assert dataops("run", "--select", "extract,clean").exit_code == 0
    assert counts(published, "orders") == (8, 4, 4)
    edit(published / "data" / "orders.csv", "2024-02-02,1,", "2024-02-02,4,")
    assert dataops("run", "--select", "extract,clean").exit_code == 0
    assert content(published)["orders"] == before["orders"]


def test_a_row_outside_the_partitions_is_refused_not_lost(published: Path, dataops: Run) -> None:
    before = content(published)
    with (published / "data" / "orders.csv").open("a") as file:
        file.write("2024-04-05,99,ann,1.00\n2014-01-05,98,ann,1.00\n")
    said = dataops("run")
    assert said.exit_code == 1
    assert "DP-E005 2 rows of data/orders.csv belong to no partition from 2024-01-01 to 2024-03-01" in said.text
    assert "10 (2024-04-01), 11 (2014-01-01)" in said.text
    assert content(published) == before


@pytest.mark.journey
def test_other_partitions_than_before_leave_no_row_twice(published: Path, dataops: Run) -> None:
    before = content(published)
    edit(published / "dataops.yaml", "every: month", "every: day")
    alone = dataops("run", "--select", "raw_orders", "--partition", "2024-01-03")
    assert (alone.exit_code, "DP-W015" in alone.text) == (1, True)
    assert content(published) == before
    edit(published / "src" / "orders_project" / "defs" / "clean" / "defs.yaml", "0.4", "1.0")
    assert dataops("run", "--select", "extract,clean").exit_code == 0
    edit(published / "dataops.yaml", "every: day", "every: month")
    assert dataops("run", "--select", "extract,clean").exit_code == 0
    assert (counts(published, "raw_orders"), counts(published, "orders")) == ((8, 0, 8), (8, 2, 6))
    assert content(published)["raw_orders"] == before["raw_orders"]
    assert content(published)["orders"] == before["orders"]


@pytest.mark.journey
def test_a_span_of_partitions_is_made_from_first_to_last(published: Path, dataops: Run) -> None:
    said = dataops("run", "--select", "raw_orders", "--force", "--partition", "2024-01-01..2024-03-01", "--json")
    with lake_of(load_project(published), read_only=True) as lake:
        made = {m.partition for m in lake.heads("dev")["raw_orders"].manifests if m.run_id == said.json["run"]}
    assert made == {"2024-01-01", "2024-02-01", "2024-03-01"}
    for wrong in ("2024-01-01..", "2024-01-01,2024-03-01", "2024-01-01..2024-13-01"):
        said = dataops("run", "--select", "raw_orders", "--partition", wrong)
        assert (said.exit_code, "DP-R004" in said.text) == (2, True)
    said = dataops("run", "--select", "customers", "--partition", "2024-01-01")
    assert (said.exit_code, "The selected assets have no partitions" in said.text) == (2, True)


@pytest.mark.journey
def test_a_mart_whose_rule_refers_to_a_table_is_judged_anew_when_that_table_changes(
    published: Path, dataops: Run
) -> None:
    (published / "dbt" / "models" / "monthly_sales.sql").write_text(
        "select date_trunc('month', day)::date as month, customer, sum(amount)::double as amount "
        "from {{ source('clean', 'orders') }} group by all"
    )
    edit(published / "contracts" / "orders.odcs.yaml", ", relationships: [{to: customers.customer}]", "")
    edit(
        published / "contracts" / "monthly_sales.odcs.yaml",
        "{name: customer, logicalType: string, primaryKey: true}",
        "{name: customer, logicalType: string, primaryKey: true, relationships: [{to: customers.customer}]}",
    )
    assert dataops("run").exit_code == 0
    edit(published / "data" / "customers.csv", "ann, Ann\n", "")
    said = dataops("run")
    assert (said.exit_code, "customer:relationship 1" in said.text) == (1, True), said.text


@pytest.mark.journey
def test_a_dbt_file_is_noticed_wherever_it_lies(published: Path, dataops: Run) -> None:
    models = published / "dbt" / "models"
    (models / "logs").mkdir()
    (models / "monthly_sales.sql").rename(models / "logs" / "monthly_sales.sql")
    before = json.loads(dataops("status", "--json").out)
    edit(models / "logs" / "monthly_sales.sql", "sum(amount)", "sum(amount) * 2")
    assert before is not None
    assert dataops("run").exit_code == 0
    with lake_of(load_project(published), read_only=True) as lake:
        (total,) = lake.connection.execute("select sum(amount) from lake.dev.monthly_sales").fetchall()[0]
    assert total == 2 * 49.75


def test_files_of_a_lake_that_are_elsewhere_are_told_by_status_too(published: Path, dataops: Run) -> None:
    (published / ".dataops" / "data").rename(published / ".dataops" / "moved")
    edit(published / "dataops.yaml", "owner:", "lake: {data: .dataops/other}\nowner:")
    for command in (["status"], ["sql", "from orders"]):
        said = dataops(*command)
        assert (said.exit_code, "DP-W009" in said.text) == (2, True), said.text


def test_a_pyproject_of_another_shape_is_told(published: Path, dataops: Run) -> None:
    (published / "pyproject.toml").write_text('[tool]\ndg = "x"\n')
    said = dataops("run")
    assert (said.exit_code, "DP-R001" in said.text) == (2, True)
