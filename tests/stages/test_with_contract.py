"""A contract on assets that a team already has: frames, tables of the lake, whatever a function reads."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pytest

from dataops_platform import with_contract
from dataops_platform.kit.errors import UsedWrongly

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.4.0
team: {name: shop}
description: {purpose: Every order.}
slaProperties: [{property: freshness, value: 2, unit: d}]
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
"""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Without what Dagster says of its own beginnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The contract."""
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    return path


def project(frame: Any) -> dg.Definitions:
    @dg.asset(group_name="team", owners=["team:own"])
    def orders() -> Any:
        return frame

    @dg.asset
    def report(orders: Any) -> int:
        return len(orders)

    return dg.Definitions(assets=[orders, report])


def run(defs: dg.Definitions) -> tuple[bool, dg.AssetCheckEvaluation, set[str]]:
    """Whether a run of everything succeeds, what the contract's check said, and what was made."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    made = {
        e.asset_key.path[-1] for e in result.all_events if e.event_type_value == "ASSET_MATERIALIZATION" and e.asset_key
    }
    (check,) = result.get_asset_check_evaluations()
    return result.success, check, made


GOOD = {"id": [1, 2], "amount": [1.5, 0.0]}
BAD = {"id": [1, 1, 3], "amount": [1.5, -2.0, None]}


@pytest.mark.parametrize(
    "frame", [pd.DataFrame, pl.DataFrame, lambda rows: pl.LazyFrame(rows), lambda rows: pl.DataFrame(rows).to_arrow()]
)
def test_a_frame_that_holds_passes_and_one_that_does_not_stops_what_stands_downstream(
    frame: Callable[[Any], Any], file: Path
) -> None:
    success, check, made = run(with_contract(project(pd.DataFrame(GOOD)), "orders", file))
    assert (success, check.passed, made) == (True, True, {"orders", "report"})
    success, check, made = run(with_contract(project(frame(BAD)), "orders", file))
    assert (success, check.passed, check.blocking, made) == (False, False, True, {"orders"})
    assert check.description == "orders 1.4.0 is broken: amount:required 1, amount:minimum 1, primary_key 2"
    rules = {record.data["rule"]: record.data["failing_rows"] for record in check.metadata["rules"].value.records}
    assert {rule: n for rule, n in rules.items() if n} == {"amount:required": 1, "amount:minimum": 1, "primary_key": 2}
    assert [record.data["rules"] for record in check.metadata["refused_rows"].value.records] == [
        "primary_key",
        "amount:minimum, primary_key",
        "amount:required",
    ]


def test_the_asset_shows_what_the_contract_says_and_keeps_its_own(file: Path) -> None:
    defs = with_contract(project(None), dg.AssetKey("orders"), str(file))
    spec = next(spec for spec in defs.resolve_all_asset_specs() if spec.key.path == ["orders"])
    assert [c.name for c in spec.metadata["dagster/column_schema"].value.columns] == ["id", "amount"]
    assert (spec.owners, spec.group_name, spec.description) == (["team:own"], "team", "Every order.")
    assert spec.freshness_policy.fail_window.to_timedelta() == dt.timedelta(days=2)  # type: ignore[union-attr]


def test_what_a_function_reads_is_judged_and_a_reference_is_asked_for(file: Path) -> None:
    file.write_text(CONTRACT.replace("primaryKey: true", "primaryKey: true, relationships: [{to: known.id}]"))
    with pytest.raises(UsedWrongly, match="DP-C017"):
        with_contract(project(None), "orders", file)
    defs = with_contract(
        project(None),
        "orders",
        file,
        read=lambda: pl.DataFrame(GOOD),
        references={"known": lambda: pd.DataFrame({"id": [1]})},
    )
    _, check, _ = run(dg.Definitions(assets=list(defs.assets or ())[:1], asset_checks=defs.asset_checks))
    assert check.description == "orders 1.4.0 is broken: id:relationship 1"


def test_a_frame_that_lacks_a_column_fails_with_a_code(file: Path) -> None:
    defs = with_contract(project(pd.DataFrame({"id": [1]})), "orders", file)
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, raise_on_error=False
        )
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert failure.step_failure_data.user_failure_data.metadata["code"].value == "DP-C003"  # type: ignore[union-attr]


def test_an_asset_that_is_not_there_is_told(file: Path) -> None:
    with pytest.raises(UsedWrongly, match="DP-C020 there is no asset order to put"):
        with_contract(project(None), "order", file)


COMPONENT = """\
type: dataops_platform.Contract

attributes:
  asset: [dev, signups]
  file: contracts/signups.odcs.yaml
  table: dev__build.signups
"""


def test_the_component_judges_a_table_of_the_lake(guest: Path, dataops_in: Any) -> None:
    members = (guest / "contracts" / "members.odcs.yaml").read_text()
    (guest / "contracts" / "signups.odcs.yaml").write_text(members.replace("name: members\n", "name: signups\n"))
    folder = guest / "src" / "guest" / "defs" / "signups"
    folder.mkdir()
    (folder / "defs.yaml").write_text(COMPONENT)
    said = dataops_in(guest)("run", "--select", "signups,members")
    assert said.exit_code != 0
    assert "members" not in [line.split()[1] for line in said.out.splitlines() if line.startswith("clean")]
    assert "contract" in said.text
