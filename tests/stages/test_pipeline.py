"""The six stages through real Dagster runs, on a small project: what is made, what is refused, what stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

Run = Callable[..., Any]


def shown(project: Path) -> dict[str, Any]:
    """Everything an environment holds and shows: heads, state, and every row of every published table."""
    with lake_of(load_project(project), read_only=True) as lake:
        state = lake.state("dev")
        tables = [m.name for m in state.cut.members if m.kind == "table"]
        return {
            "heads": {name: (head.version, head.digest) for name, head in lake.heads("dev").items()},
            "publication": (state.sequence, state.publication),
            "rows": {t: sorted(map(str, lake.connection.execute(f"from lake.dev.{t}").fetchall())) for t in tables},
        }


@pytest.fixture(scope="session")
def before(run_once: Path) -> dict[str, Any]:
    """What the project shows after its first run."""
    return shown(run_once)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_run_carries_rows_from_files_to_a_publication(run_once: Path, first_run: Any) -> None:
    tables = {t["table"]: (t["rows_in"], t["refused"], t["audited"], t["published"]) for t in first_run["tables"]}
    assert tables == {
        "raw_customers": (3, 0, 3, None),
        "raw_orders": (8, 0, 8, None),
        "customers": (3, 0, 3, 3),
        "orders": (8, 2, 6, 6),
        "monthly_sales": (5, 0, 5, 5),
    }
    assert shown(run_once)["rows"] == {
        "customers": ["('ann', 'Ann')", "('bob', 'Bob')", "('cid', 'Cid')"],
        "orders": [
            "(datetime.date(2024, 1, 20), 2, 'bob', 7.0)",
            "(datetime.date(2024, 1, 3), 1, 'ann', 10.5)",
            "(datetime.date(2024, 2, 14), 5, 'bob', 3.0)",
            "(datetime.date(2024, 2, 2), 4, 'cid', 12.25)",
            "(datetime.date(2024, 3, 10), 7, 'bob', 8.0)",
            "(datetime.date(2024, 3, 11), 8, 'bob', 9.0)",
        ],
        "monthly_sales": [
            "(datetime.date(2024, 1, 1), 'ann', 10.5)",
            "(datetime.date(2024, 1, 1), 'bob', 7.0)",
            "(datetime.date(2024, 2, 1), 'bob', 3.0)",
            "(datetime.date(2024, 2, 1), 'cid', 12.25)",
            "(datetime.date(2024, 3, 1), 'bob', 17.0)",
        ],
    }


def test_refused_rows_are_kept_with_their_raw_values_line_and_rule(published: Path, dataops: Run) -> None:
    with lake_of(load_project(published), read_only=True) as lake:
        kept = lake.connection.execute(
            "select _dp_partition, _dp_file, _dp_line, rules, contract, raw from lake.dev__build.orders__quarantine "
            "order by _dp_line"
        ).fetchall()
    assert kept == [
        (
            "2024-01-01",
            "data/orders.csv",
            4,
            ["amount:minimum"],
            "orders 1.0.0",
            '{"day":"2024-01-25","order":"3","customer":"ann","amount":"-4.00"}',
        ),
        (
            "2024-03-01",
            "data/orders.csv",
            7,
            ["amount:required"],
            "orders 1.0.0",
            '{"day":"2024-03-09","order":"6","customer":"ann","amount":""}',
        ),
    ]


def test_a_second_run_changes_nothing_and_says_so(published: Path, before: dict[str, Any], dataops: Run) -> None:
    said = dataops("run")
    assert said.exit_code == 0
    lines = [line for line in said.out.splitlines() if line.startswith(("extract", "clean", "transform", "publish"))]
    assert len(lines) == 6
    assert all(line.split()[-1] == "unchanged" for line in lines)
    assert shown(published) == before


@pytest.mark.journey
def test_only_what_a_change_reaches_is_made_again(published: Path, before: dict[str, Any], dataops: Run) -> None:
    def unchanged() -> set[str]:
        said = dataops("run")
        return {line.split()[1] for line in said.out.splitlines() if line.rstrip().endswith("unchanged")}

    edit(published / "data" / "customers.csv", "Bob", "Robert")
    assert unchanged() == {"raw_orders"}
    after = shown(published)
    assert after["publication"][0] == before["publication"][0] + 1
    assert after["heads"]["orders"][1] == before["heads"]["orders"][1]
    edit(published / "data" / "customers.csv", "Robert", " Robert")
    assert unchanged() == {"raw_orders", "orders", "monthly_sales", "publication"}, "customers came out equal"


def test_one_partition_can_be_run_alone(published: Path, before: dict[str, Any], dataops: Run) -> None:
    edit(published / "data" / "orders.csv", "2024-02-02,4,cid,12.25", "2024-02-02,4,cid,13.25")
    said = dataops("run", "--select", "raw_orders,orders", "--partition", "2024-02-01", "--json")
    assert said.exit_code == 0
    with lake_of(load_project(published), read_only=True) as lake:
        head = lake.heads("dev")["orders"]
        runs = {partition: manifest.run_id == said.json["run"] for partition, manifest in head.partitions.items()}
        found = lake.connection.execute(f'select "order", amount from {lake.relation("dev", head)} order by 1')
        amounts = found.fetchall()
    assert runs == {"2024-01-01": False, "2024-02-01": True, "2024-03-01": False}
    assert amounts == [(1, 10.5), (2, 7.0), (4, 13.25), (5, 3.0), (7, 8.0), (8, 9.0)], "those of other months stay"
    assert head.digest != before["heads"]["orders"][1]


@pytest.mark.journey
def test_a_clean_alone_then_publish_is_refused_naming_the_stale_marts(
    published: Path, before: dict[str, Any], dataops: Run
) -> None:
    edit(published / "data" / "orders.csv", "12.25", "99.00")
    assert dataops("run", "--select", "raw_orders,orders").exit_code == 0
    said = dataops("run", "--select", "publication")
    assert said.exit_code == 1
    assert "DP-P101" in said.text
    assert "monthly_sales was made from an older orders" in said.text
    after = shown(published)
    assert (after["publication"], after["rows"]) == (before["publication"], before["rows"])
    assert dataops("run").exit_code == 0
    assert shown(published)["publication"][0] == before["publication"][0] + 1


def test_a_tightened_contract_is_not_published_before_its_table_is_audited_again(
    published: Path, before: dict[str, Any], dataops: Run
) -> None:
    edit(published / "contracts" / "monthly_sales.odcs.yaml", "maximum: 1000", "maximum: 500")
    said = dataops("run", "--select", "publication")
    assert (said.exit_code, "DP-P102" in said.text) == (1, True)
    assert shown(published) == before


@pytest.mark.journey
def test_a_failing_dbt_test_leaves_heads_and_views_as_they_were(
    published: Path, before: dict[str, Any], dataops: Run
) -> None:
    edit(published / "dbt" / "models" / "monthly_sales.sql", "sum(amount)::double", "nullif(sum(amount), 7)::double")
    said = dataops("run")
    assert said.exit_code == 1
    assert "DP-D004" in said.text
    assert "not_null_monthly_sales_amount" in said.text
    assert "Traceback" not in said.out + said.err
    assert shown(published) == before
    edit(published / "dbt" / "models" / "monthly_sales.sql", "nullif(sum(amount), 7)::double", "sum(amount)::double")
    assert dataops("run").exit_code == 0
    assert shown(published)["rows"] == before["rows"]


def test_a_mart_that_breaks_its_contract_leaves_heads_and_views_as_they_were(
    published: Path, before: dict[str, Any], dataops: Run
) -> None:
    edit(published / "dbt" / "models" / "monthly_sales.sql", "sum(amount)", "sum(amount) * 100")
    said = dataops("run")
    assert (said.exit_code, "DP-C091" in said.text, "amount:maximum 3" in said.text) == (1, True, True)
    assert shown(published) == before


def test_a_bad_month_leaves_heads_and_views_as_they_were(published: Path, before: dict[str, Any], dataops: Run) -> None:
    raw = (published / "data" / "orders.csv").read_text()
    (published / "data" / "orders.csv").write_text(raw.replace("2024-02-02,4,cid,12.25", "2024-02-02,4,cid,-1"))
    edit(published / "src" / "orders_project" / "defs" / "clean" / "defs.yaml", "0.4", "0.34")
    said = dataops("run")
    assert (said.exit_code, "DP-C012" in said.text, "orders 2024-02-01" in said.text) == (1, True, True)
    after = shown(published)
    assert after["heads"].pop("raw_orders") != before["heads"]["raw_orders"]
    before = {**before, "heads": {k: v for k, v in before["heads"].items() if k != "raw_orders"}}
    assert after == before
    (published / "data" / "orders.csv").write_text(raw)
    assert dataops("run").exit_code == 0
    assert shown(published)["rows"] == before["rows"]


WRONG_INPUTS = {
    "a missing file": ("data/orders.csv", None, None, 2, "DP-E001"),
    "an empty file": ("data/orders.csv", ..., "", 1, "DP-E011"),
    "a missing column": ("data/orders.csv", "day,order,customer,amount", "day,order,customer,amout", 1, "DP-C003"),
    "an unknown column": ("data/customers.csv", ..., "customer,name,age\nann,Ann,3\n", 1, "DP-C004"),
    "a row without a partition": ("data/orders.csv", "2024-03-11,8", "2024-13-11,8", 1, "DP-E005"),
    "a wrong type in every row": ("data/customers.csv", ..., "customer,name\n,Ann\n,Bob\n", 1, "DP-C012"),
    "ragged rows": ("data/customers.csv", ..., "customer,name\nann\nbob,Bob,4\n", 1, "DP-C012"),
    "an unknown key in dataops.yaml": ("dataops.yaml", "owner:", "ovner:", 2, "DP-Y015"),
    "an unknown key in a contract": (
        "contracts/orders.odcs.yaml",
        "logicalType: date",
        "logicalTyp: date",
        2,
        "DP-Y015",
    ),
    "a contract naming an absent column": ("contracts/orders.odcs.yaml", "name: amount", "name: amont", 1, "DP-C003"),
    "a missing contract": ("contracts/orders.odcs.yaml", None, None, 2, "DP-C006"),
    "an unknown function": (
        "src/orders_project/defs/clean/defs.yaml",
        "cleaning:customers",
        "cleaning:custmers",
        2,
        "DP-S001",
    ),
    "a function that loses rows": (
        "src/orders_project/cleaning.py",
        "raw.with_columns(",
        "raw.head(1).with_columns(",
        1,
        "DP-S004",
    ),
    "a function that fails": (
        "src/orders_project/cleaning.py",
        'pl.col("name")',
        'pl.col("nam")',
        1,
        "DP-S006",
    ),
    "an input that nothing makes": (
        "src/orders_project/defs/clean/defs.yaml",
        "input: raw_customers",
        "input: raw_custmers",
        2,
        "DP-R005",
    ),
    "an unknown key of a table in defs.yaml": (
        "src/orders_project/defs/clean/defs.yaml",
        "input: raw_orders",
        "inpt: raw_orders",
        2,
        "clean/defs.yaml:5:22 has an unknown key 'tables.0.inpt'; did you mean 'input'?",
    ),
    "a missing key in defs.yaml": (
        "src/orders_project/defs/clean/defs.yaml",
        "input: raw_orders, ",
        "",
        2,
        "clean/defs.yaml:5:7 lacks the key 'tables.0.input'",
    ),
    "a wrong type in defs.yaml": (
        "src/orders_project/defs/clean/defs.yaml",
        "share: 0.4",
        "share: many",
        2,
        "clean/defs.yaml:5:80 has an invalid 'tables.0.max_refused_share': Input should be a valid number",
    ),
    "an unknown key of defs.yaml": (
        "src/orders_project/defs/clean/defs.yaml",
        "attributes:",
        "atributes:",
        2,
        "clean/defs.yaml:3:1 has an unknown key 'atributes'; did you mean 'attributes'?",
    ),
    "an unknown component": (
        "src/orders_project/defs/clean/defs.yaml",
        "dataops_platform.Clean",
        "dataops_platform.Claen",
        2,
        "clean/defs.yaml:1:1 names 'dataops_platform.Claen', which is not a component; did you mean 'Clean'?",
    ),
    "a defs.yaml that is no YAML": ("src/orders_project/defs/clean/defs.yaml", "tables:", "tables: [", 2, "DP-Y004"),
    "a dbt model that is no SQL": ("dbt/models/monthly_sales.sql", "group by all", "group by by", 1, "DP-D004"),
    "a dbt project that does not parse": (
        "dbt/models/monthly_sales.sql",
        "source('clean', 'orders')",
        "source('x')",
        2,
        "DP-D002",
    ),
    "a dbt view": ("dbt/dbt_project.yml", "table", "view", 2, "DP-D003"),
    "a dbt model in a schema of its own": (
        "dbt/dbt_project.yml",
        "+materialized: table",
        "+materialized: table\n    +schema: marketing",
        2,
        "DP-D006 dbt would write monthly_sales to lake.dev__build_marketing, not to lake.dev__build",
    ),
}


SOME = ("a missing file", "a wrong type in every row", "a function that fails")
"""Wrong inputs that every run of the tests tries; the others are tried with the journeys."""


@pytest.mark.parametrize(
    "wrong", [w if w in SOME else pytest.param(w, marks=pytest.mark.journey) for w in WRONG_INPUTS]
)
def test_wrong_input_is_told_with_a_code_and_nothing_published_changes(
    wrong: str, published: Path, before: dict[str, Any], dataops: Run
) -> None:
    name, old, new, exit_code, code = WRONG_INPUTS[wrong]
    path = published / name
    right = path.read_bytes()
    if new is None:
        path.unlink()
    elif old is ...:
        path.write_text(new)
    else:
        edit(path, old, new)
    said = dataops("run")
    assert (said.exit_code, code) == (exit_code, code if code in said.text else said.text)
    assert "Traceback" not in said.out + said.err
    path.write_bytes(right)
    after = shown(published)
    assert (after["publication"], after["rows"]) == (before["publication"], before["rows"])


def test_a_key_that_another_month_holds_is_refused_also_when_one_month_is_run_alone(
    published: Path, dataops: Run
) -> None:
    edit(published / "data" / "orders.csv", "2024-02-14,5,bob,3.00", "2024-02-14,7,bob,3.00")
    edit(published / "src" / "orders_project" / "defs" / "clean" / "defs.yaml", "0.4", "0.5")
    alone = dataops("run", "--select", "raw_orders,orders", "--partition", "2024-02-01", "--json")
    tables = {t["table"]: (t["rows_in"], t["refused"], t["audited"]) for t in alone.json["tables"]}
    assert alone.exit_code == 0, alone.text
    assert tables["orders"] == (8, 3, 5)
    with lake_of(load_project(published), read_only=True) as lake:
        kept = lake.connection.execute(
            "select _dp_line, rules from lake.dev__build.orders__quarantine where _dp_partition = '2024-02-01'"
        ).fetchall()
    assert kept == [(6, ["primary_key"])]
