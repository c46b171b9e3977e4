"""A contract on assets that a team already has: frames, tables of the lake, whatever a function reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pytest

from dataops_platform import with_contract
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.stages.contract.component import contract_check

pytestmark = pytest.mark.usefixtures("quiet")

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
    with pytest.raises(UsedWrongly, match="DP-C056"):
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
    with pytest.raises(UsedWrongly, match=r"DP-C020 There is no asset order to attach .*did you mean 'orders'\?"):
        with_contract(project(None), "order", file)


TAGS = """\
tags: [core, "Größe: XL", "team/sales data", "dagster/kind/x", "客户", ""]
schema:
  - name: orders
    tags: [daily]
    properties:
      - {name: code, logicalType: string, classification: "PII, strict", tags: [key]}
"""


def test_tags_and_classifications_are_shown_in_letters_that_dagster_takes(file: Path) -> None:
    file.write_text(CONTRACT.replace("schema:\n  - name: orders\n    properties:\n", TAGS))
    orders = dg.AssetSpec("orders", tags={"core": "own"}, kinds={"duckdb"})
    defs = with_contract(dg.Definitions(assets=[orders]), "orders", file, read=lambda: pd.DataFrame(GOOD))
    (spec,) = [spec for spec in defs.resolve_all_asset_specs() if spec.key.path == ["orders"]]
    assert spec.tags == {
        "core": "own",
        "Groe_XL": "",
        "team/sales_data": "",
        "dagster_kind_x": "",
        "daily": "",
        "classification/PII_strict": "",
        "dagster/kind/duckdb": "",
    }
    (column, *_) = spec.metadata["dagster/column_schema"].value.columns
    assert column.tags == {"key": "", "classification/PII_strict": ""}


@dg.asset(name="orders")
def nothing_said() -> None:
    """Writes a table itself, and says so."""


@dg.asset(name="orders")
def materialized() -> dg.MaterializeResult:
    """Says what it wrote, not the rows."""
    return dg.MaterializeResult()


@dg.multi_asset(specs=[dg.AssetSpec("orders"), dg.AssetSpec("items")])
def several() -> Iterator[dg.MaterializeResult]:
    """Writes two tables itself."""
    yield dg.MaterializeResult(asset_key="orders")
    yield dg.MaterializeResult(asset_key="items")


@pytest.mark.parametrize("asset", [nothing_said, materialized, several, dg.AssetSpec("orders")])
def test_an_asset_that_returns_nothing_is_refused_unless_its_rows_are_read(asset: Any, file: Path) -> None:
    defs = dg.Definitions(assets=[asset])
    with pytest.raises(UsedWrongly, match="DP-C042 orders returns nothing that a check can read"):
        with_contract(defs, "orders", file)
    if asset is several:
        success, check, made = run(with_contract(defs, "orders", file, read=lambda: pd.DataFrame(BAD)))
        assert (success, check.passed, made) == (False, False, {"orders", "items"})


def test_one_asset_of_several_is_judged_by_what_it_returned(file: Path) -> None:
    @dg.multi_asset(outs={"items": dg.AssetOut(), "orders": dg.AssetOut()})
    def both() -> tuple[Any, Any]:
        return "no frame", pl.DataFrame(BAD)

    success, check, _ = run(with_contract(dg.Definitions(assets=[both]), "orders", file))
    assert (success, check.passed, check.asset_key.path) == (False, False, ["orders"])


def code_of(defs: dg.Definitions) -> str:
    with dg.DagsterInstance.ephemeral() as instance:
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    return str(failure.step_failure_data.user_failure_data.metadata["code"].value)  # type: ignore[union-attr]


def test_what_is_no_frame_and_a_function_that_fails_have_codes(file: Path) -> None:
    def failing() -> Any:
        raise OSError("no such file")

    assert code_of(with_contract(project(None), "orders", file)) == "DP-C042"
    assert code_of(with_contract(project([1, 2]), "orders", file)) == "DP-S003"
    assert code_of(with_contract(project(None), "orders", file, read=failing)) == "DP-S006"
    file.write_text(CONTRACT.replace("primaryKey: true", "primaryKey: true, relationships: [{to: known.id}]"))
    defs = with_contract(project(pd.DataFrame(GOOD)), "orders", file, references={"known": failing})
    assert code_of(defs) == "DP-S006"


MONTHS = dg.StaticPartitionsDefinition(["jan", "feb"])


@dg.asset(name="orders", partitions_def=MONTHS)
def monthly(context) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    """February is bad."""
    return pd.DataFrame(GOOD if context.partition_key == "jan" else BAD)


def answers(defs: dg.Definitions, instance: dg.DagsterInstance, month: str | None) -> list[Any]:
    """What the checks say of a month, or alone of what there is."""
    assets, checks = list(defs.assets or ()), list(defs.asset_checks or ())
    alone = dg.AssetSelection.checks_for_assets("orders")
    result = dg.materialize(
        [*assets, *checks],
        instance=instance,
        partition_key=month,
        selection=None if month else alone,
        raise_on_error=False,
    )
    failed = [e.step_failure_data.user_failure_data for e in result.all_events if e.is_step_failure]
    codes = [data.metadata["code"].value for data in failed if data and data.metadata]
    found = result.get_asset_check_evaluations()
    return codes or [(c.partition, c.passed, c.metadata["rows_in"].value) for c in found]


def test_an_asset_with_partitions_has_an_answer_for_each(file: Path) -> None:
    defs = with_contract(dg.Definitions(assets=[monthly]), "orders", file)
    with dg.DagsterInstance.ephemeral() as instance:
        assert answers(defs, instance, "feb") == [("feb", False, 3)]
        assert answers(defs, instance, "jan") == [("jan", True, 2)]


def test_a_check_that_knows_no_partitions_judges_those_of_the_run_and_alone_all_that_there_are(file: Path) -> None:
    check = contract_check(dg.AssetKey("orders"), load_contract(file))
    defs = dg.Definitions(assets=[monthly], asset_checks=[check])
    with dg.DagsterInstance.ephemeral() as instance:
        assert answers(defs, instance, None) == ["DP-C043"]
        assert answers(defs, instance, "jan") == [(None, True, 2)]
        assert answers(defs, instance, "feb") == [(None, False, 3)]
        assert answers(defs, instance, None) == [(None, False, 5)]


def test_what_is_read_of_an_asset_with_partitions_is_judged_as_a_whole(file: Path) -> None:
    defs = with_contract(dg.Definitions(assets=[monthly]), "orders", file, read=lambda: pd.DataFrame(BAD))
    with dg.DagsterInstance.ephemeral() as instance:
        assert answers(defs, instance, "jan") == [(None, False, 3)]


COMPONENT = """\
type: dataops_platform.Contract

attributes:
  asset: [dev, signups]
  file: contracts/signups.odcs.yaml
  table: dev__build.signups
  single: [age:maximum]
"""


def test_the_component_judges_a_table_of_the_lake(guest: Path, dataops_in: Any) -> None:
    members = (guest / "contracts" / "members.odcs.yaml").read_text()
    (guest / "contracts" / "signups.odcs.yaml").write_text(members.replace("name: members\n", "name: signups\n"))
    folder = guest / "src" / "guest" / "defs" / "signups"
    folder.mkdir()
    (folder / "defs.yaml").write_text(COMPONENT.replace("age:maximum", "age:maximun"))
    refused = dataops_in(guest)("run")
    assert (refused.exit_code, "DP-C040" in refused.text) == (2, True)
    (folder / "defs.yaml").write_text(COMPONENT)
    said = dataops_in(guest)("run", "--select", "signups,members")
    assert said.exit_code != 0
    assert "members" not in [line.split()[1] for line in said.out.splitlines() if line.startswith("clean")]
    assert "contract" in said.text
