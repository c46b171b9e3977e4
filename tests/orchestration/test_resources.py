"""Any asset can read what an environment shows, write to its build area, and use its MLflow."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dataops_platform import LakeResource, MlflowResource
from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.settings.project import load_project

pytestmark = pytest.mark.journey


def test_an_asset_is_given_what_is_shown_in_each_kind_of_frame(published: Path) -> None:
    kinds: list[type] = []

    @dg.asset
    def reader(lake: LakeResource) -> None:
        kinds.extend(type(lake.read("orders", frame=frame)) for frame in ("polars", "pandas", "arrow"))
        with lake.shown() as connection:
            found = connection.sql("select count(*) from orders").fetchall()
        assert found == [(lake.read("orders").height,)]

    assert dg.materialize([reader], resources={"lake": LakeResource(project=str(published))}).success
    assert kinds == [pl.DataFrame, pd.DataFrame, pa.Table]


def test_the_environment_can_come_from_a_variable(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_ENVIRONMENT", "nowhere")
    resource = LakeResource(project=str(published), environment=dg.EnvVar("SHOP_ENVIRONMENT"))

    @dg.asset
    def reader(lake: LakeResource) -> None:
        lake.read("orders")

    with pytest.raises(UsedWrongly, match="DP-P004"):
        dg.materialize([reader], resources={"lake": resource})


def test_what_is_shown_cannot_be_written_to(published: Path) -> None:
    with LakeResource(project=str(published)).shown() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute("create table mine as select 1 as one")


def test_a_table_of_the_build_area_stays_whole_or_is_not_there(published: Path) -> None:
    lake = LakeResource(project=str(published))
    with lake.build_area() as connection:
        connection.execute("create or replace table best as select 1 as customer")
    with pytest.raises(RuntimeError), lake.build_area() as connection:
        connection.execute("insert into best values (2)")
        raise RuntimeError
    with lake.build_area() as connection:
        assert connection.sql("from best").fetchall() == [(1,)]
    with pytest.raises(UsedWrongly, match="DP-Q005"):
        lake.read("best")


def test_a_guarded_environment_takes_no_table_of_other_code(published: Path) -> None:
    settings = published / "dataops.yaml"
    settings.write_text(settings.read_text() + "environments: {dev: {}, prod: {from: dev}}\n")
    lake = LakeResource(project=str(published), environment="prod")
    with pytest.raises(Refused, match="DP-R008"), lake.build_area():
        pass


def test_mlflow_runs_and_names_are_those_of_the_environment(published: Path) -> None:
    tracking = MlflowResource(project=str(published))
    with tracking.run("mine") as run:
        pass
    found = tracking.client().get_run(run.info.run_id)
    experiment = tracking.client().get_experiment(found.info.experiment_id)
    project = load_project(published)
    assert experiment.name == f"{project.name}/dev"
    assert tracking.model_name("late") == f"dev.{project.name}.late"
    with pytest.raises(UsedWrongly, match="DP-M012"):
        tracking.version("nothing")
    with pytest.raises(UsedWrongly, match="DP-M013"):
        tracking.version("nothing", alias="champion")
