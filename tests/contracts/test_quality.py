"""Rules over all rows of a batch (metrics of the standard, queries), and checks written with pandera's own API."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.contracts.contract import Freshness
from dataops_platform.kit.errors import Refused, UsedWrongly

Made = Callable[..., Any]
COLUMNS = ("{name: a, logicalType: integer}", "{name: b, logicalType: string}")
ROWS = {"a": ["1", "1", "2", None], "b": ["x", "y", "NA", None]}


@pytest.mark.parametrize(
    ("rule", "measured"),
    [
        ("metric: nullValues, mustBe: 0", 1),
        ("metric: nullValues, unit: percent, mustBeLessThan: 25", 25),
        ("metric: missingValues, arguments: {missingValues: [1, null]}, mustBe: 0", 3),
        ("metric: invalidValues, arguments: {validValues: [1]}, mustBe: 0", 1),
        ("metric: duplicateValues, mustBeLessThan: 1", 1),
        ("metric: nullValues, mustBeBetween: [2, 3]", 1),
        ("metric: nullValues, mustNotBeBetween: [0, 1]", 1),
    ],
)
def test_a_metric_of_a_column_is_measured_and_held_to_its_limit(
    contract: Made, judge: Made, rule: str, measured: float
) -> None:
    found = contract(f"{{name: a, logicalType: integer, quality: [{{type: library, {rule}}}]}}", COLUMNS[1])
    (audit,) = judge(found, ROWS).audits
    (verdict,) = [v for v in audit.verdicts if v.measured is not None]
    assert (verdict.rule.partition(":")[0], verdict.measured, verdict.failing_rows) == ("a", measured, 1)
    assert len(audit.unmet) == 1
    assert audit.rows_refused == 0, "such a rule refuses the batch, not a row"


@pytest.mark.parametrize(
    ("rule", "measured"),
    [
        ("type: library, metric: rowCount, mustBeGreaterThan: 3", 4),
        ("type: library, metric: duplicateValues, arguments: {properties: [a, b]}, mustBe: 0", 0),
        ("type: sql, name: q, query: 'select count(distinct b) from ${object}', mustBeGreaterOrEqualTo: 3", 3),
        ("type: library, metric: rowCount, mustNotBe: 5, mustBeLessOrEqualTo: 4", 4),
    ],
)
def test_a_rule_of_the_table_that_holds_says_its_number(
    contract: Made, judge: Made, rule: str, measured: float
) -> None:
    (audit,) = judge(contract(*COLUMNS, quality=[f"{{{rule}}}"]), ROWS).audits
    assert [v.measured for v in audit.verdicts if v.measured is not None] == [measured]
    assert audit.unmet == ()


def test_rows_that_are_refused_do_not_count_and_each_partition_is_its_own_batch(contract: Made, judge: Made) -> None:
    found = contract(*COLUMNS, quality=["{type: library, metric: rowCount, mustBeGreaterThan: 1}"])
    columns = {"a": ["1", "2", "x", "3"], "b": ["", "", "", ""], "_dp_partition": ["jan", "jan", "feb", "feb"]}
    audits = judge(found, columns, partitions=["jan", "feb", "mar"]).audits
    assert [[v.measured for v in audit.verdicts if v.measured is not None] for audit in audits] == [[2], [1], [0]]
    assert [audit.unmet for audit in audits] == [
        (),
        ("rowCount is 1, mustBeGreaterThan 1",),
        ("rowCount is 0, mustBeGreaterThan 1",),
    ]


def test_a_warning_over_all_rows_refuses_nothing(contract: Made, judge: Made) -> None:
    found = contract(*COLUMNS, quality=["{type: library, metric: rowCount, mustBe: 5, severity: warning}"])
    (audit,) = judge(found, ROWS).audits
    assert (audit.unmet, [v.failing_rows for v in audit.verdicts if v.severity == "warning"]) == ((), [1])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("type: library, metric: nulValues, mustBe: 0", "nulValues"),
        ("type: library, metric: rowCount", "sets no limit"),
        ("type: library, metric: nullValues, mustBe: 0", "Put it below a column"),
        ("type: library, metric: duplicateValues, arguments: {properties: [aa]}, mustBe: 0", "did you mean 'a'"),
        (
            "type: library, metric: rowCount, mustBe: 0, query: select 1",
            "sets 'query', which does not apply to rules of type library",
        ),
        ("type: sql, name: q, mustBe: 0", "lacks query"),
        ("type: sql, name: q, query: select 1, mustBee: 0", "did you mean 'mustBe'"),
        ("name: q, engine: pandera, implementation: checks", "which does not have the form module:function"),
    ],
)
def test_a_misspelt_rule_is_refused_with_its_place(contract: Made, rule: str, words: str) -> None:
    with pytest.raises(UsedWrongly, match=r"^DP-[CY]\d+ orders\.odcs\.yaml:\d+:\d+ ") as said:
        contract(*COLUMNS, quality=[f"{{{rule}}}"])
    assert words in str(said.value)


@pytest.mark.parametrize("query", ["select b from ${object}", "select nothing from ${object}", "select 1; select 2"])
def test_a_query_that_gives_no_number_is_refused_before_any_row(contract: Made, judge: Made, query: str) -> None:
    found = contract(*COLUMNS, quality=[f"{{type: sql, name: q, query: '{query}', mustBe: 0}}"])
    with pytest.raises(UsedWrongly, match="DP-C007"):
        judge(found, ROWS)


@pytest.fixture
def checks(tmp_path: Path) -> Iterator[None]:
    """A team's module of checks, on the path."""
    package = tmp_path / "src" / "team_checks"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        textwrap.dedent(
            """
            import polars as pl
            import pandera.polars as pa

            def even():
                return pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) % 2 == 0))

            def longer():
                return pa.Check(lambda data: data.lazyframe.select(pl.col("b").str.len_chars() > pl.col("a")))

            def whole():
                return pa.Check(lambda data: False)

            def none():
                return 1

            def fails():
                return pa.Check(lambda data: 1 / 0)
            """
        )
    )
    sys.path.insert(0, str(tmp_path / "src"))
    yield
    sys.path.remove(str(tmp_path / "src"))
    sys.modules.pop("team_checks", None)


@pytest.mark.usefixtures("checks")
def test_a_check_of_panderas_own_joins_by_name(contract: Made, judge: Made) -> None:
    found = contract(
        "{name: a, logicalType: integer, quality: [{name: even, engine: pandera, implementation: 'team_checks:even'}]}",
        COLUMNS[1],
        quality=["{name: longer, engine: pandera, implementation: 'team_checks:longer', severity: warning}"],
    )
    judged = judge(found, {"a": ["1", "2", None, "4"], "b": ["xx", "x", "x", None]})
    assert judged.rules == [["a:even"], None, None, None]
    assert judged.warnings == [None, ["longer"], None, None]


@pytest.mark.usefixtures("checks")
@pytest.mark.parametrize("function", ["whole", "none", "fails"])
def test_a_check_that_judges_no_row_is_told(contract: Made, judge: Made, function: str) -> None:
    found = contract(*COLUMNS, quality=[f"{{name: q, engine: pandera, implementation: 'team_checks:{function}'}}"])
    with pytest.raises(UsedWrongly, match=r"DP-C0(16|80)"):
        judge(found, ROWS)


@pytest.mark.usefixtures("checks")
def test_a_check_that_is_not_there_is_told(contract: Made, judge: Made) -> None:
    found = contract(*COLUMNS, quality=["{name: q, engine: pandera, implementation: 'team_checks:evn'}"])
    with pytest.raises((UsedWrongly, Refused), match="DP-S00"):
        judge(found, ROWS)


def test_what_is_valid_and_not_enforced_is_said(contract: Made) -> None:
    head = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.2.3
team: {name: sales}
roles: [{role: analyst}]
servers: [{server: s, type: local}]
slaProperties:
  - {property: retention, value: 3, unit: y}
  - {property: freshness, value: 2, unit: h, element: orders.at}
schema:
  - name: orders
    properties:
"""
    found = contract(
        "{name: at, logicalType: timestamp, encryptedName: x, logicalTypeOptions: {format: iso}}",
        quality=["{type: text, description: Be nice.}"],
        head=head,
    )
    assert [line.partition(":")[2].partition(" ")[2] for line in found.unenforced] == [
        "role analyst",
        "slaProperties retention",
        "format",
        "encryptedName",
        "quality of type text",
        "servers",
    ]
    assert found.freshness == Freshness(7200, "at")


@pytest.mark.parametrize(
    ("sla", "words"),
    [
        ("{property: freshness, value: 2, unit: hh}", "not a unit of time"),
        ("{property: freshness, value: soon, unit: h}", "of 'soon', which is not a number of h above 0"),
        ("{property: freshness, value: 2, unit: h, element: orders.aa}", "did you mean 'a'"),
    ],
)
def test_a_freshness_that_means_nothing_is_refused(contract: Made, sla: str, words: str) -> None:
    head = (
        "apiVersion: v3.2.0\nkind: DataContract\nid: orders\nversion: 1.2.3\nteam: {name: sales}\n"
        f"slaProperties: [{sla}]\nschema:\n  - name: orders\n    properties:\n"
    )
    with pytest.raises(UsedWrongly, match=r"^DP-C07[234] orders\.odcs\.yaml") as said:
        contract(*COLUMNS, head=head)
    assert words in str(said.value)
