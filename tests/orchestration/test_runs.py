"""Launching and watching runs: what is asked for, what is shown, what dies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.orchestration.assets import assets_of
from dataops_platform.orchestration.definitions import load_definitions
from dataops_platform.orchestration.instance import instance_home
from dataops_platform.orchestration.launch import Progress, launch
from dataops_platform.orchestration.reaper import PROCESS_TAG, reap, this_process
from dataops_platform.settings.project import load_project
from dataops_platform.status.board import board

Run = Callable[..., Any]


def instance_of(project: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(project / ".dataops" / "dagster"))


def test_a_run_is_seen_in_the_projects_own_instance(published: Path) -> None:
    with instance_of(published) as instance:
        runs = instance.get_runs()
        assert [run.status.name for run in runs] == ["SUCCESS"]
        event = instance.get_latest_materialization_event(dg.AssetKey(["dev", "monthly_sales"]))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["dagster/row_count"].value == 5


def test_what_the_pages_show_of_a_table(published: Path) -> None:
    with instance_of(published) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["dev", "orders"]))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert (metadata["rows_in"].value, metadata["rows_refused"].value) == (8, 2)
    refused = metadata["refused_rows"].value
    assert [(r.data["file"], r.data["line"], r.data["rules"]) for r in refused.records] == [  # type: ignore[union-attr]
        ("data/orders.csv", 4, "amount:minimum"),
        ("data/orders.csv", 7, "amount:required"),
    ]
    assert str(metadata["digest"].value).startswith("dp1:6:")


@pytest.mark.journey
def test_status_says_what_succeeded_and_what_waits(orders: Path, dataops: Run) -> None:
    states = {line["asset"]: line["state"] for line in dataops("status", "--json").json["assets"]}
    assert states == {
        "raw_customers": "AWAITING its first run",
        "raw_orders": "AWAITING its first run",
        "customers": "AWAITING raw_customers",
        "orders": "AWAITING raw_orders, customers",
        "monthly_sales": "AWAITING customers, orders",
        "publication": "AWAITING orders, customers, monthly_sales",
    }


def test_the_board_knows_which_assets_a_run_that_waits_will_make(published: Path) -> None:
    project = load_project(published)
    definitions = load_definitions(project)

    @dg.op
    def look() -> None: ...

    @dg.job
    def no_assets() -> None:
        look()

    with instance_of(published) as instance:

        def states() -> dict[str, str]:
            return {
                line.asset: line.state.partition(" ")[0]
                for line in board(assets_of(definitions), instance, datetime.now(UTC))
            }

        before = states()
        assert set(before.values()) == {"SUCCEEDED"}
        instance.create_run_for_job(no_assets, tags={PROCESS_TAG: this_process()})
        assert states() == before
        job = definitions.resolve_implicit_global_asset_job_def()
        orders = dg.AssetKey(["dev", "raw_orders"])
        instance.create_run_for_job(job, asset_selection=frozenset({orders}), tags={PROCESS_TAG: this_process()})
        assert states() == before | {"raw_orders": "QUEUED"}


@pytest.mark.journey
def test_status_tells_the_time_since_success_and_failure(published: Path, dataops: Run) -> None:
    (published / "data" / "customers.csv").write_text("")
    assert dataops("run").exit_code == 1
    project = load_project(published)
    sys.path.insert(0, str(published / "src"))
    with instance_of(published) as instance:
        assets = assets_of(load_definitions(project))
        lines = board(assets, instance, datetime.now(UTC) + timedelta(minutes=5))
    states = {line.asset: line.state for line in lines}
    assert states["raw_customers"] == "FAILED 5 MIN AGO"
    assert states["raw_orders"] == "SUCCEEDED 5 MIN AGO"
    assert states["customers"] == "NOT REACHED 5 MIN AGO"
    assert [line.stage for line in lines] == ["extract", "extract", "clean", "clean", "transform", "publish"]


def test_a_run_whose_process_is_gone_is_failed(published: Path) -> None:
    gone = subprocess.run(
        [sys.executable, "-c", "from dataops_platform.orchestration.reaper import this_process; print(this_process())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    @dg.job
    def nothing() -> None: ...

    with instance_of(published) as instance:
        for process in (gone, this_process()):
            run = instance.create_run_for_job(nothing, tags={PROCESS_TAG: process}, status=dg.DagsterRunStatus.STARTED)
        reaped = reap(instance)
        assert len(reaped) == 1
        assert instance.get_run_by_id(reaped[0]).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
        assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]


def test_a_stage_stands_for_all_its_assets(published: Path, dataops: Run) -> None:
    said = dataops("run", "--select", "clean")
    assert [line.split()[1] for line in said.out.splitlines() if line.endswith("unchanged")] == ["customers", "orders"]


def test_each_step_is_told_as_it_happens_and_a_run_goes_on_when_nobody_listens_any_more(published: Path) -> None:
    project, told = load_project(published), []

    def hear(progress: Progress) -> None:
        told.append((progress.kind, progress.asset, progress.rows, progress.unchanged))
        raise BrokenPipeError

    with instance_of(published) as instance:
        result = launch(project, load_definitions(project), instance, select=["raw_orders", "orders"], watch=hear)
    assert result.success
    assert told == [
        ("began", "raw_orders", None, False),
        ("made", "raw_orders", 8, True),
        ("began", "orders", None, False),
        ("made", "orders", 6, True),
    ]


def test_one_mart_stands_for_all_that_dbt_makes_with_it(published: Path, dataops: Run) -> None:
    (published / "dbt" / "models" / "customers_seen.sql").write_text("select customer from {{ ref('monthly_sales') }}")
    said = dataops("run", "--select", "monthly_sales", "--json")
    assert said.exit_code == 0
    assert "customers_seen" in {table["table"] for table in said.json["tables"]}


def test_unknown_assets_and_partitions_are_refused_with_the_nearest(published: Path, dataops: Run) -> None:
    said = dataops("run", "--select", "ordrs")
    assert (said.exit_code, "DP-R003" in said.text, "did you mean 'orders'?" in said.text) == (2, True, True)
    said = dataops("run", "--select", "orders", "--partition", "2024-02-30")
    assert (said.exit_code, "DP-R004" in said.text) == (2, True)


def test_the_instance_is_made_once_and_then_left_alone(orders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    home = instance_home(load_project(orders))
    assert "run_monitoring" in (home / "dagster.yaml").read_text()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert (instance_home(load_project(orders)) / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_a_project_without_a_root_module_is_told_so(orders: Path) -> None:
    (orders / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(UsedWrongly, match="DP-R001"):
        load_definitions(load_project(orders))
