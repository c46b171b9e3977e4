"""A team that has assets of its own takes in one stage after another; its tables were written with no word to us."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse import foreign_write
from dataops_platform.warehouse.open import lake_of

Run = Callable[..., Any]


def digests(project: Path) -> dict[str, str]:
    with lake_of(load_project(project), read_only=True) as lake:
        return {name: head.digest for name, head in lake.heads("dev").items()}


@pytest.mark.journey
def test_clean_takes_in_a_table_that_a_plain_asset_wrote(guest: Path, dataops_in: Callable[[Path], Run]) -> None:
    dataops = dataops_in(guest)
    first = dataops("run", "--select", "signups,members", "--json")
    assert first.exit_code == 0, first.text
    counts = {t["table"]: (t["stage"], t["rows_in"], t["refused"], t["audited"]) for t in first.json["tables"]}
    assert counts == {"signups": ("external", 120, 0, 120), "members": ("clean", 120, 3, 117)}
    with lake_of(load_project(guest), read_only=True) as lake:
        kept = lake.connection.execute(
            "select _dp_file, _dp_line, rules from lake.dev__build.members__quarantine order by 2"
        ).fetchall()
    assert kept == [("signups", line, ["age:maximum"]) for line in (0, 40, 80)]
    before = digests(guest)
    again = dataops("run", "--select", "signups,members")
    assert again.out.count("unchanged") == 1
    assert digests(guest) == before


@pytest.mark.journey
def test_train_score_and_publish_work_beside_a_plain_asset(guest: Path, dataops_in: Callable[[Path], Run]) -> None:
    dataops = dataops_in(guest)
    first = dataops("run", "--json")
    assert first.exit_code == 0, first.text
    published = {t["table"]: t["published"] for t in first.json["tables"]}
    assert published == {"signups": None, "members": 117, "stay_predictions": 29}
    before = digests(guest)
    assert dataops("run").out.count("unchanged") == 4
    assert digests(guest) == before
    path = guest / "src" / "guest" / "definitions.py"
    path.write_text(path.read_text().replace("* 200 as age", "* 1 as age"))
    assert dataops("run", "--select", "signups,members").exit_code == 0
    after = digests(guest)
    assert (after["signups"] != before["signups"], after["members"] != before["members"]) == (True, True)
    stale = dataops("run", "--select", "publication")
    assert (stale.exit_code, "DP-P101" in stale.text, "stays" in stale.text) == (1, True, True)


def test_a_table_that_is_not_there_is_no_input(guest: Path, dataops_in: Callable[[Path], Run]) -> None:
    said = dataops_in(guest)("run", "--select", "members")
    assert (said.exit_code, "DP-W007" in said.text) == (1, True)


@pytest.mark.journey
def test_what_another_program_has_only_half_written_is_no_input(guest: Path, dataops_in: Callable[[Path], Run]) -> None:
    dataops = dataops_in(guest)
    assert dataops("run", "--select", "signups").exit_code == 0
    with lake_of(load_project(guest)) as lake:
        foreign_write.begin(lake, "dev", "dbt marts")
    said = dataops("run", "--select", "members")
    assert (said.exit_code, "DP-W007" in said.text) == (1, True)


def test_partitions_are_not_asked_of_a_table_that_has_none(guest: Path, dataops_in: Callable[[Path], Run]) -> None:
    (guest / "dataops.yaml").write_text(
        "project: guest\nowner: team:members\n"
        "partitions:\n  months: {every: month, start: 2024-01-01, end: 2024-03-01}\n"
    )
    path = guest / "src" / "guest" / "defs" / "clean" / "defs.yaml"
    path.write_text(path.read_text().replace("input: signups,", "input: signups, partitions: months,"))
    said = dataops_in(guest)("run", "--select", "signups,members")
    assert (said.exit_code, "Remove `partitions` from members" in said.text) == (1, True), said.text


@pytest.mark.parametrize(
    ("name", "old", "new", "code"),
    [
        ("contracts/stay_predictions.odcs.yaml", "primaryKey: true, ", "", "DP-T005"),
        (
            "contracts/members.odcs.yaml",
            "name: stayed, logicalType: boolean",
            "name: stayed, logicalType: string",
            "DP-T007",
        ),
        pytest.param(
            "src/guest/model.py", "return make_pipeline", "make_pipeline", "DP-T006", marks=pytest.mark.journey
        ),
        pytest.param(
            "src/guest/model.py",
            ".fit(features, ",
            ".fit(features.assign(more=1), ",
            "DP-T008",
            marks=pytest.mark.journey,
        ),
        pytest.param(
            "src/guest/model.py",
            ".fit(features, ",
            ".fit(features.rename(columns={'age': 'years'}), ",
            "DP-T008",
            marks=pytest.mark.journey,
        ),
    ],
)
def test_a_mistake_with_a_model_is_told(
    name: str, old: str, new: str, code: str, guest: Path, dataops_in: Callable[[Path], Run]
) -> None:
    text = (guest / name).read_text()
    assert old in text
    (guest / name).write_text(text.replace(old, new))
    said = dataops_in(guest)("run", "--select", "signups,members,stays")
    assert (said.exit_code, code) == (2, code if code in said.text else said.text)


TABLES = """
import dagster as dg
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

@dg.asset(key=["dev", "orders"])
def orders() -> None:
    write("orders", "select date '2024-01-03' as day, 1 as order, 'ann' as customer, 10.5 as amount")

@dg.asset(key=["dev", "customers"])
def customers() -> None:
    write("customers", "select 'ann' as customer")

def write(name, select):
    with lake_of(load_project(Path(__file__).parent)) as lake, lake.transaction():
        lake.connection.execute("create schema if not exists lake.dev__build")
        lake.connection.execute(f"create or replace table lake.dev__build.{name} as {select}")
"""


@pytest.mark.parametrize("stage", ["extract", pytest.param("transform", marks=pytest.mark.journey)])
def test_extract_and_transform_stand_alone(stage: str, orders: Path, dataops: Run) -> None:
    defs = orders / "src" / "orders_project" / "defs"
    for folder in defs.iterdir():
        if folder.is_dir() and folder.name != stage:
            shutil.rmtree(folder)
    if stage == "transform":
        path = orders / "src" / "orders_project" / "definitions.py"
        text = path.read_text().replace("import dagster as dg\n", TABLES)
        path.write_text(text.replace("Definitions(executor", "Definitions(assets=[orders, customers], executor"))
    assert dataops("run", "--json").exit_code == 0
    made = set(digests(orders))
    assert made == ({"raw_orders", "raw_customers"} if stage == "extract" else {"orders", "customers", "monthly_sales"})
