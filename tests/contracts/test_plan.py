"""A contract compiled to a file, and run from it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dataops_platform.contracts.compiled import compile_contract, describe_rules, read_compiled
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import judge
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import UsedWrongly

Written = Callable[..., Contract]
QUALITY = [
    "{type: library, metric: nullValues, mustBeBetween: [0, 5], arguments: {properties: [a]}}",
    "{type: sql, name: q, query: 'select count(distinct a) from ${object}', mustBeGreaterThan: 1, severity: warning}",
]


def test_every_contract_of_the_example_comes_back_from_its_plan(flights: Path, tmp_path: Path) -> None:
    for path in sorted((flights / "contracts").glob("*.odcs.yaml")):
        plan = compile_contract(load_contract(path))
        file = tmp_path / f"{path.name}.plan.json"
        file.write_text(plan.to_json())
        back = read_compiled(file)
        assert back.to_json() == plan.to_json()
        assert (back.contract.rules, back.contract.digest) == (plan.contract.rules, plan.contract.digest)
        assert (back.violations, back.measures) == (plan.violations, plan.measures)


def test_a_plan_keeps_the_types_of_what_rules_compare_with(contract: Written, tmp_path: Path) -> None:
    found = contract(
        "{name: a, logicalType: integer, enum: [{value: 1}, {value: 20000000000}]}",
        "{name: b, logicalType: number, logicalTypeOptions: {minimum: 1, exclusiveMaximum: 2.5}}",
        "{name: c, logicalType: boolean, enum: [{value: true}]}",
        "{name: d, logicalType: string, enum: [{value: '1'}, {value: 'true'}, {value: \"o'clock\"}]}",
        quality=["{type: library, metric: rowCount, mustBeBetween: [0, 5.5]}"],
    )
    file = tmp_path / "p.plan.json"
    file.write_text(compile_contract(found).to_json())
    back = read_compiled(file).contract
    assert [(r.argument, type(r.argument), r.limits) for r in back.rules] == [
        (r.argument, type(r.argument), r.limits) for r in found.rules
    ]
    assert back.path == tmp_path / found.path.name


def test_rows_are_judged_from_the_file_alone_and_nothing_heavy_is_loaded(contract: Written, tmp_path: Path) -> None:
    found = contract(
        "{name: a, logicalType: integer, required: true, logicalTypeOptions: {minimum: 2}}",
        "{name: b, logicalType: string, unique: true}",
        quality=["{name: short, engine: duckdb, implementation: length(b) < 4}"],
    )
    file = tmp_path / "p.plan.json"
    file.write_text(compile_contract(found).to_json())
    found.path.unlink()
    code = f"""
import sys, json, pathlib, duckdb
from dataops_platform.contracts.engine import judge
from dataops_platform.contracts.compiled import read_compiled
rows = "(from (values (1, 'x'), (null, 'long'), (3, 'x')) as t(a, b))"
(audit,) = judge(duckdb.connect(), rows, read_compiled(pathlib.Path({str(file)!r}))).audits([""])
heavy = sorted({{"pandera", "pandas", "polars", "yaml", "dagster", "mlflow"}} & set(sys.modules))
print(json.dumps([{{v.rule: v.failing_rows for v in audit.verdicts if v.failing_rows}}, heavy]))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    failing, heavy = json.loads(said.stdout)
    assert failing == {"a:required": 1, "a:minimum": 1, "b:unique": 2, "short": 1}
    assert heavy == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "dataops plan 0"}', "\x00", "id: orders"])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "p.plan.json"
    file.write_text(text)
    with pytest.raises(UsedWrongly, match=r"DP-C024 p\.plan\.json is not a plan"):
        read_compiled(file)


def test_a_plan_that_was_changed_is_refused(contract: Written, tmp_path: Path) -> None:
    made = json.loads(compile_contract(contract("{name: a, logicalType: integer, required: true}")).to_json())
    changes: list[dict[str, Any]] = [{"violations": {}}, {"zz": 1}, {"contract": {**made["contract"], "rules": []}}]
    file = tmp_path / "p.plan.json"
    for change in changes:
        file.write_text(json.dumps(made | change))
        with pytest.raises(UsedWrongly, match="DP-C024"):
            read_compiled(file)
    file.write_text(json.dumps({key: value for key, value in made.items() if key != "measures"}))
    with pytest.raises(UsedWrongly, match="DP-C024"):
        read_compiled(file)


def test_a_plan_of_another_format_is_refused(contract: Written, tmp_path: Path) -> None:
    file = tmp_path / "p.plan.json"
    file.write_text(compile_contract(contract("{name: a, logicalType: integer}")).to_json().replace("plan 1", "plan 2"))
    with pytest.raises(UsedWrongly, match="DP-C024"):
        read_compiled(file)


def test_a_plan_says_what_is_asked_for_each_rule(contract: Written) -> None:
    found = contract(
        "{name: a, logicalType: integer, logicalTypeOptions: {minimum: 2}, relationships: [{to: others.a}]}",
        "{name: b, logicalType: string, primaryKey: true}",
        quality=["{type: library, metric: rowCount, mustBe: 5}"],
    )
    assert {line["rule"]: line["asked"] for line in describe_rules(compile_contract(found))} == {
        "a:type": '"_dp_untyped_a"',
        "a:minimum": '"a" < 2',
        "a:relationship": '"a" is not in others.a',
        "b:type": '"_dp_untyped_b"',
        "b:required": '"b" is null and not "_dp_untyped_b"',
        "primary_key": '("b") occurs in another row',
        "rowCount": "select (count(*)) from ${object}",
    }


@pytest.mark.parametrize("value", ["it's", "a\x00b", "%", "\\", "$1", "'; drop table t; --"])
def test_a_text_in_a_rule_stays_a_text(contract: Written, value: str) -> None:
    found = contract(f"{{name: a, logicalType: string, enum: [{{value: {json.dumps(value)}}}]}}")
    with duckdb.connect() as connection:
        connection.execute("create table t (a varchar)")
        connection.execute("insert into t values ($v), ('other')", {"v": value})
        judged = judge(connection, "t", compile_contract(found), samples=5)
        assert [row["a"] for row in judged.sample()] == ["other"]
