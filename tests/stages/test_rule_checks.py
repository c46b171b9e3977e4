"""Checks of single rules beside the one of the contract: which there are, what they say, what is drawn over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from dataops_platform import with_contract
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.manifests.manifest import Verdict
from dataops_platform.settings.project import load_project
from dataops_platform.stages import metadata
from dataops_platform.stages.clean.run import CleanStep
from dataops_platform.stages.component import asset_of
from dataops_platform.stages.contract import component
from dataops_platform.stages.rule_checks import finding_of, rule_checks
from tests.fixtures.contract_head import contract_head

pytestmark = pytest.mark.usefixtures("quiet")

CONTRACT = (
    contract_head(version="1.4.0")
    + """\
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
    quality:
      - {name: "klein, früh", engine: duckdb, implementation: amount < 5, severity: warning, description: Mostly small.}
      - {type: library, metric: rowCount, mustBeLessThan: 3, severity: warning}
"""
)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The contract: two of its rules warn."""
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    return path


def project(rows: Mapping[str, Sequence[Any]]) -> dg.Definitions:
    @dg.asset
    def orders() -> pd.DataFrame:
        return pd.DataFrame(rows)

    @dg.asset
    def report(orders: pd.DataFrame) -> int:
        return len(orders)

    return dg.Definitions(assets=[orders, report])


def run(defs: dg.Definitions) -> tuple[dict[str, dg.AssetCheckEvaluation], set[str]]:
    """What each check said in a run of everything, and what was made."""
    with dg.DagsterInstance.ephemeral() as instance:
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)
    made = {e.asset_key.path[-1] for e in result.all_events if e.is_step_materialization and e.asset_key}
    return {check.check_name: check for check in result.get_asset_check_evaluations()}, made


def names_of(defs: dg.Definitions) -> list[str]:
    return sorted(key.name for key in defs.resolve_asset_graph().asset_check_keys)


MANY = {"id": [1, 2, 3], "amount": [1.0, 7.0, 9.0]}
WARNINGS = ["klein__fr_h", "rowCount"]


def test_a_warning_is_a_check_of_its_own_that_warns_and_stops_nothing(file: Path) -> None:
    found, made = run(with_contract(project(MANY), "orders", file))
    assert sorted(found) == ["contract", *WARNINGS]
    assert {name: (c.passed, c.severity.value, c.blocking) for name, c in found.items()} == {
        "contract": (True, "ERROR", True),
        "klein__fr_h": (False, "WARN", False),
        "rowCount": (False, "WARN", False),
    }
    assert made == {"orders", "report"}
    assert [found[name].description for name in WARNINGS] == ["2 rows", "measured 3"]
    assert found["rowCount"].metadata["measured"].value == 3.0
    assert found["klein__fr_h"].metadata["rule"].value == "klein, früh"


def test_checks_that_are_asked_for_come_from_one_look_at_the_rows(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, judge = list[str](), component.judge
    monkeypatch.setattr(component, "judge", lambda *a, **k: (looks.append("look"), judge(*a, **k))[1])
    defs = with_contract(project({"id": [1, 1], "amount": [-1.0, 2.0]}), "orders", file, single=["amount:minimum"])
    found, made = run(defs)
    assert looks == ["look"]
    assert sorted(found) == ["amount__minimum", "contract", *WARNINGS]
    asked = found["amount__minimum"]
    assert (asked.passed, asked.severity.value, asked.blocking, asked.description) == (False, "ERROR", False, "1 row")
    assert (found["contract"].passed, made) == (False, {"orders"})


@pytest.mark.parametrize("every", [True, "all"])
def test_every_rule_may_have_one(file: Path, every: Any) -> None:
    rules = ["amount__minimum", "amount__required", "amount__type", "id__required", "id__type", "primary_key"]
    assert names_of(with_contract(project(MANY), "orders", file, single=every)) == sorted(
        ["contract", *WARNINGS, *rules]
    )


def test_one_check_can_be_run_alone(file: Path) -> None:
    defs = with_contract(project(MANY), "orders", file)
    key = dg.AssetCheckKey(dg.AssetKey("orders"), "rowCount")
    checks, assets = list(defs.asset_checks or ()), list(defs.assets or ())
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(assets, instance=instance, run_config=QUIET)
        result = dg.materialize(
            [*assets, *checks],
            selection=dg.AssetSelection.checks(key),
            instance=instance,
            run_config=QUIET,
        )
    assert [check.check_name for check in result.get_asset_check_evaluations()] == ["rowCount"]


def test_a_rule_that_is_not_there_is_refused_with_the_nearest(file: Path) -> None:
    with pytest.raises(UsedWrongly, match=r"DP-C040 .* no rule 'amount:minimun' .*did you mean 'amount:minimum'\?"):
        with_contract(project(MANY), "orders", file, single="amount:minimun")


def test_a_name_that_is_taken_is_refused(file: Path) -> None:
    once = with_contract(project(MANY), "orders", file)
    with pytest.raises(UsedWrongly, match="DP-C041 orders already has an asset check called 'contract'"):
        with_contract(once, "orders", file)


def test_names_that_dagster_does_not_take_become_names_that_it_takes_and_stay_apart(file: Path) -> None:
    rule = '      - {{name: "{}", engine: duckdb, implementation: amount < 5, severity: warning}}\n'
    file.write_text(CONTRACT + "".join(map(rule.format, ("a b", "a-b", "a_b", "contract"))))
    names = [check.name for check in rule_checks(load_contract(file))]
    assert names == [*WARNINGS, "a_b", "a_b_2", "a_b_3", "contract_2"]
    assert set(names) < set(names_of(with_contract(project(MANY), "orders", file)))


def test_each_rule_is_drawn_over_time_by_its_failing_rows_or_by_what_it_measured(file: Path) -> None:
    found, _ = run(with_contract(project(MANY), "orders", file))
    numbers = {
        name: value.value
        for name, value in found["contract"].metadata.items()
        if isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue)
    }
    assert numbers == {
        "rows_in": 3,
        "rows_refused": 0,
        "failing_rows": 3,
        "failing_rows: id:type": 0,
        "failing_rows: id:required": 0,
        "failing_rows: amount:type": 0,
        "failing_rows: amount:required": 0,
        "failing_rows: amount:minimum": 0,
        "failing_rows: primary_key": 0,
        "failing_rows: klein, früh": 2,
        "measured: rowCount": 3.0,
    }
    table = [record.data for record in found["contract"].metadata["rules"].value.records]
    assert [(row["rule"], row["failing_rows"], row["measured"]) for row in table][:3] == [
        ("klein, früh", 2, ""),
        ("rowCount", 1, "3"),
        ("id:type", 0, ""),
    ]


def test_a_contract_of_many_rules_is_drawn_within_bounds_and_with_what_fails(file: Path) -> None:
    contract = load_contract(file)
    verdicts = [Verdict(f"r{n}", "error", int(n == 150)) for n in range(200)]
    drawn = metadata.plotted(contract, verdicts)
    assert (len(drawn), "failing_rows: r150" in drawn) == (metadata.MOST_PLOTS + 1, True)
    everything = metadata.plotted(contract, [Verdict(f"r{n}", "error", 1) for n in range(200)])
    assert len(everything) == metadata.MOST_PLOTS_EVER < 100


def test_a_partition_judged_before_there_was_the_rule_is_said(file: Path) -> None:
    rule = load_contract(file).rules[-2]
    found = finding_of(rule, {"jan": [Verdict(rule.name, "warning", 2)], "feb": []})
    assert (found.passed, found.failing_rows, found.message) == (False, 2, "2 rows in jan; not judged yet in feb")


SMALL = "    quality: [{name: small, engine: duckdb, implementation: amount < 10, severity: warning}]\n"


def cleaned(folder: Path, months: Sequence[str], tags: Mapping[str, str]) -> list[Any]:
    """The events of a run of the clean stage over a span of months."""
    project = load_project(folder)
    contract = load_contract(folder / "contracts" / "orders.odcs.yaml")
    step = CleanStep(project, "orders", "raw_orders", contract, None, ("",), 0.4, project.partition("months"))
    span = {"dagster/asset_partition_range_start": months[0], "dagster/asset_partition_range_end": months[-1]}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [asset_of(step)], instance=instance, tags={**span, **tags}, run_config=QUIET, raise_on_error=False
        )
    return list(result.all_events)


def said(events: list[Any], check: str) -> tuple[bool, str | None, int]:
    (found,) = [
        e.asset_check_evaluation_data
        for e in events
        if e.event_type_value == "ASSET_CHECK_EVALUATION" and e.asset_check_evaluation_data.check_name == check
    ]
    return found.passed, found.description, found.metadata["failing_rows"].value


def test_a_stage_warns_of_all_rows_that_stand_also_when_it_is_skipped_or_made_in_part(published: Path) -> None:
    path = published / "contracts" / "orders.odcs.yaml"
    path.write_text(path.read_text() + SMALL)
    only_march = cleaned(published, ["2024-03-01"], {})
    assert said(only_march, "small") == (True, "not judged yet in 2024-01-01, 2024-02-01", 0)
    everything = cleaned(published, ["2024-01-01", "2024-02-01", "2024-03-01"], {})
    expected = (False, "1 row in 2024-01-01, 1 row in 2024-02-01", 2)
    assert said(everything, "small") == expected
    assert said(everything, "contract") == (True, None, 4)
    again = cleaned(published, ["2024-03-01"], {"dataops/skip_unchanged": "true"})
    assert (said(again, "small"), said(again, "contract")) == (expected, (True, None, 1))


def test_each_partition_shows_its_own_numbers(published: Path) -> None:
    events = cleaned(published, ["2024-01-01", "2024-02-01", "2024-03-01"], {})
    made = {e.partition: e.step_materialization_data.materialization.metadata for e in events if e.partition}
    shown = {p: {n: v.value for n, v in m.items() if n.startswith(("partition", "failing"))} for p, m in made.items()}
    assert {p: (m["partition_rows_in"], m["partition_rows_refused"]) for p, m in shown.items()} == {
        "2024-01-01": (3, 1),
        "2024-02-01": (2, 0),
        "2024-03-01": (3, 1),
    }
    assert [m["failing_rows: amount:minimum"] for _, m in sorted(shown.items())] == [1, 0, 0]
    assert {(m["rows_in"].value, m["rows_refused"].value) for m in made.values()} == {(8, 2)}
    assert [m["failing_rows: amount:required"] for _, m in sorted(shown.items())] == [0, 0, 1]


def test_a_contract_that_is_broken_leaves_what_was_said_of_the_rows_that_stand(published: Path) -> None:
    path = published / "contracts" / "orders.odcs.yaml"
    path.write_text(path.read_text().replace("minimum: 0", "minimum: 100") + SMALL)
    events = cleaned(published, ["2024-01-01"], {})
    judged = [e.asset_check_evaluation_data for e in events if e.event_type_value == "ASSET_CHECK_EVALUATION"]
    assert [(check.check_name, check.passed) for check in judged] == [("contract", False)]
    table = [record.data["rule"] for record in judged[0].metadata["rules"].value.records]
    assert (table[0], len(table)) == ("amount:minimum", 12)


def test_a_month_that_the_project_dropped_shows_no_numbers_and_stops_nothing(published: Path) -> None:
    path = published / "dataops.yaml"
    path.write_text(path.read_text().replace("end: 2024-04-01", "end: 2024-03-01"))
    events = cleaned(published, ["2024-01-01", "2024-02-01"], {})
    made = {e.partition for e in events if e.is_step_materialization}
    assert (made, said(events, "contract")[0]) == ({"2024-01-01", "2024-02-01"}, True)
