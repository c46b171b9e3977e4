"""What a contract says about rows: each kind of rule, alone and together, for one batch and for many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.contracts.engine import judge as judge_rows
from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.manifests.manifest import Verdict

Written = Callable[..., Contract]
Judge = Callable[..., Any]


@pytest.mark.parametrize(
    ("column", "rule", "fine", "broken"),
    [
        ("{name: a, logicalType: string, required: true}", "required", ["x", "", "0"], [None]),
        ("{name: a, logicalType: integer, logicalTypeOptions: {minimum: 2}}", "minimum", ["2", "3", None], ["1", "-9"]),
        ("{name: a, logicalType: integer, logicalTypeOptions: {maximum: 2}}", "maximum", ["2", "-9", None], ["3"]),
        (
            "{name: a, logicalType: number, logicalTypeOptions: {exclusiveMinimum: 2}}",
            "exclusive_minimum",
            ["2.0001", "3", None],
            ["2", "2.0", "1"],
        ),
        (
            "{name: a, logicalType: number, logicalTypeOptions: {exclusiveMaximum: 2}}",
            "exclusive_maximum",
            ["1.9999", "-3", None],
            ["2", "2.0", "1e9"],
        ),
        (
            "{name: a, logicalType: integer, logicalTypeOptions: {minimum: 9007199254740993}}",
            "minimum",
            ["9007199254740993"],
            ["9007199254740992"],
        ),
        (
            "{name: a, logicalType: number, physicalType: 'decimal(4,2)', logicalTypeOptions: {minimum: 0.1}}",
            "minimum",
            ["0.10", "0.1", None],
            ["0.09"],
        ),
        (
            "{name: a, logicalType: string, logicalTypeOptions: {minLength: 2}}",
            "min_length",
            ["ab", "éé", None],
            ["a", ""],
        ),
        (
            "{name: a, logicalType: string, logicalTypeOptions: {maxLength: 2}}",
            "max_length",
            ["ab", "éé", "", None],
            ["abc", "a\nb"],
        ),
        (
            '{name: a, logicalType: string, logicalTypeOptions: {pattern: "^N[0-9]+$"}}',
            "pattern",
            ["N1", "N123", None],
            ["", "n1", "xN1", "N1x", "N1\n", "N١"],
        ),
        ("{name: a, logicalType: string, logicalTypeOptions: {pattern: it's}}", "pattern", ["it's", "xit'sx"], ["its"]),
        (
            '{name: a, logicalType: string, enum: [{value: x}, {value: "it\'s"}]}',
            "enum",
            ["x", "it's", None],
            ["X", "x ", "", "y"],
        ),
        ("{name: a, logicalType: integer, enum: [{value: 1}, {value: 3}]}", "enum", ["1", "03", None], ["2", "-1"]),
        ("{name: a, logicalType: number, enum: [{value: 1}, {value: 0.5}]}", "enum", ["1", "1.0", ".5", None], ["2"]),
        ("{name: a, logicalType: boolean, enum: [{value: true}]}", "enum", ["true", None], ["false"]),
        ("{name: a, logicalType: string, unique: true}", "unique", ["x", "X", "", None, None], ["y", "y", "z", "z"]),
        ("{name: a, logicalType: integer, unique: true}", "unique", ["1", "2", None, None], ["7", "07", "+7"]),
        (
            "{name: a, logicalType: string, relationships: [{to: t.id}]}",
            "relationship",
            ["a", "b", None],
            ["c", "", "A"],
        ),
        (
            "{name: a, logicalType: integer, quality: [{name: even, engine: duckdb, implementation: a % 2 = 0}]}",
            "even",
            ["2", "-4", "0", None],
            ["1", "-3"],
        ),
    ],
)  # fmt: skip
def test_a_rule_refuses_just_the_rows_that_break_it_and_null_breaks_none_but_required(
    contract: Written, judge: Judge, column: str, rule: str, fine: list[str | None], broken: list[str | None]
) -> None:
    reference = "(values ('a'), ('b'), (null)) as t(id)"
    judged = judge(contract(column), {"a": [*fine, *broken]}, references={"t": f"(select * from {reference})"})
    assert judged.rules == [None] * len(fine) + [[f"a:{rule}"]] * len(broken)
    assert judged.warnings == [None] * (len(fine) + len(broken))
    assert judged.failing == {f"a:{rule}": len(broken)}


def test_every_rule_a_row_breaks_is_named(contract: Written, judge: Judge) -> None:
    found = contract(
        "{name: id, logicalType: integer, primaryKey: true}",
        "{name: word, logicalType: string, required: true, logicalTypeOptions: {maxLength: 3, pattern: ^a}}",
        "{name: share, logicalType: number, logicalTypeOptions: {minimum: 0, maximum: 1}}",
        quality=["{name: some_share, engine: duckdb, implementation: word <> 'abc' or share > 0.5}"],
    )
    columns = {
        "id": ["1", "2", "x", None, "5", "5", "7"],
        "word": ["abc", "bcde", None, "a", "a", "a", "abc"],
        "share": ["0.9", "2", "-1", "x", None, "0", "0.1"],
    }
    judged = judge(found, columns)
    assert judged.values == [
        (1, "abc", 0.9),
        (2, "bcde", 2.0),
        (None, None, -1.0),
        (None, "a", None),
        (5, "a", None),
        (5, "a", 0.0),
        (7, "abc", 0.1),
    ]
    assert judged.rules == [
        None,
        ["word:max_length", "word:pattern", "share:maximum"],
        ["id:type", "word:required", "share:minimum"],
        ["id:required", "share:type"],
        ["primary_key"],
        ["primary_key"],
        ["some_share"],
    ]
    assert judged.audits == [
        BatchAudit(
            "",
            7,
            6,
            (
                Verdict("id:type", "error", 1),
                Verdict("id:required", "error", 1),
                Verdict("word:type", "error", 0),
                Verdict("word:required", "error", 1),
                Verdict("word:max_length", "error", 1),
                Verdict("word:pattern", "error", 1),
                Verdict("share:type", "error", 1),
                Verdict("share:minimum", "error", 1),
                Verdict("share:maximum", "error", 1),
                Verdict("primary_key", "error", 2),
                Verdict("some_share", "error", 1),
            ),
        )
    ]
    assert judged.audits[0].rows_audited == 1


def test_every_row_of_a_doubled_key_is_refused_and_a_null_in_a_key_excuses_it(contract: Written, judge: Judge) -> None:
    found = contract(
        "{name: day, logicalType: date, unique: true, primaryKey: true}",
        "{name: code, logicalType: string, primaryKey: true}",
    )
    days = ["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-03", None, None, "2024-01-04"]
    judged = judge(found, {"day": days, "code": ["a", "a", "a", None, "b", "b", "A"]})
    assert judged.rules == [
        ["day:unique", "primary_key"],
        ["day:unique", "primary_key"],
        None,
        ["code:required"],
        ["day:required"],
        ["day:required"],
        None,
    ]


def test_a_key_that_is_also_held_by_a_row_refused_for_another_reason_is_still_doubled(
    contract: Written, judge: Judge
) -> None:
    found = contract("{name: id, logicalType: integer, primaryKey: true}", "{name: x, logicalType: integer}")
    judged = judge(found, {"id": ["1", "1", "2"], "x": ["1", "bad", "3"]})
    assert judged.rules == [["primary_key"], ["x:type", "primary_key"], None]


def test_a_key_of_two_columns_does_not_run_together(contract: Written, judge: Judge) -> None:
    found = contract(
        "{name: a, logicalType: string, primaryKey: true}", "{name: b, logicalType: string, primaryKey: true}"
    )
    assert judge(found, {"a": ["x", "xy", "x"], "b": ["yz", "z", "yz "]}).rules == [None, None, None]


def test_a_relationship_to_the_table_itself_looks_at_its_own_rows(contract: Written, judge: Judge) -> None:
    found = contract(
        "{name: id, logicalType: integer, primaryKey: true}",
        "{name: parent, logicalType: integer, relationships: [{to: orders.id}]}",
    )
    assert judge(found, {"id": ["1", "2", "3", "4"], "parent": [None, "1", "3", "9"]}).rules == [
        None,
        None,
        None,
        ["parent:relationship"],
    ]


def test_a_reference_without_rows_refuses_every_value(contract: Written, judge: Judge) -> None:
    found = contract("{name: a, logicalType: string, relationships: [{to: t.id}]}")
    nobody = {"t": "(select null::varchar as id)"}
    assert judge(found, {"a": ["x", None]}, references=nobody).rules == [["a:relationship"], None]


def test_a_warning_marks_a_row_and_does_not_refuse_it(contract: Written, judge: Judge) -> None:
    rule = "{{name: {}, engine: duckdb, implementation: a < {}, severity: {}}}"
    found = contract(
        "{name: a, logicalType: integer}",
        quality=[
            rule.format("small", 10, "warning"),
            rule.format("tiny", 5, "warning"),
            rule.format("sane", 99, "error"),
        ],
    )
    judged = judge(found, {"a": ["1", "7", "50", "100", None]})
    assert judged.rules == [None, None, None, ["sane"], None]
    assert judged.warnings == [None, ["tiny"], ["small", "tiny"], ["small", "tiny"], None]
    audit = judged.audits[0]
    assert (audit.rows_in, audit.rows_audited, audit.rows_refused) == (5, 4, 1)
    assert audit.verdicts == (
        Verdict("a:type", "error", 0),
        Verdict("small", "warning", 2),
        Verdict("tiny", "warning", 3),
        Verdict("sane", "error", 1),
    )


@pytest.mark.parametrize(
    ("expression", "rules"),
    [
        ("a > b", [None, ["r"], None]),
        ("a > b -- a comment", [None, ["r"], None]),
        ("a > b or a = 1", [None, None, None]),
        ("coalesce(a, 0) > 0", [None, None, ["r"]]),
        ("A > B", [None, ["r"], None]),
        ("case when b = 1 then true else a is null end", [None, ["r"], None]),
    ],
)
def test_an_expression_is_a_question_to_one_row_and_null_is_no_no(
    contract: Written, judge: Judge, expression: str, rules: list[list[str] | None]
) -> None:
    found = contract(
        "{name: a, logicalType: integer}",
        "{name: b, logicalType: integer}",
        quality=[f"{{name: r, engine: duckdb, implementation: '{expression}'}}"],
    )
    assert judge(found, {"a": ["2", "1", None], "b": ["1", "2", "0"]}).rules == rules


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("a >", 'Parser Error: syntax error at or near ")"'),
        ("a > c", 'Binder Error: Referenced column "c" not found in FROM clause! Candidate bindings: "a"'),
        ("a", "it gives BIGINT, not true or false"),
        ("b", "it gives VARCHAR, not true or false"),
        ("sum(a) > 1", "Binder Error: WHERE clause cannot contain aggregates!"),
        ("a < 3) and (a > 1000", 'Parser Error: syntax error at or near ")"'),
        ("a > 1) or (1 = 1", 'Parser Error: syntax error at or near ")"'),
        ("a > random()", "random() says something else each time it is asked"),
        ("unnest([true, false]) and a > 0", "Binder Error: UNNEST not supported here"),
        ("b in (select content from read_text(chr(47))) and a > 0", "Permission Error: "),
        ("a > 1; drop table x", 'Parser Error: syntax error at or near ";"'),
        ("a = $v0", "Invalid Input Error: Values were not provided for the following prepared statement parameter"),
        ("nosuch(a)", "Catalog Error: Scalar Function with name nosuch does not exist! Did you mean"),
    ],
)  # fmt: skip
def test_an_expression_that_cannot_be_evaluated_is_refused_before_any_row(
    contract: Written, judge: Judge, expression: str, reason: str
) -> None:
    found = contract(
        "{name: a, logicalType: integer}",
        "{name: b, logicalType: string}",
        quality=[f"{{name: r, engine: duckdb, implementation: '{expression}'}}"],
    )
    with pytest.raises(UsedWrongly) as caught:
        judge(found, {"a": [], "b": []})
    assert caught.value.code == "DP-C007"
    assert caught.value.message.startswith(f"orders.odcs.yaml:12:9 rule 'r' cannot be evaluated: {reason}")


def test_a_pattern_that_python_knows_and_duckdb_does_not_is_refused(contract: Written, judge: Judge) -> None:
    found = contract("{name: a, logicalType: string, logicalTypeOptions: {pattern: '^(?!x)'}}")
    with pytest.raises(UsedWrongly) as caught:
        judge(found, {"a": []})
    assert str(caught.value) == (
        "DP-C007 orders.odcs.yaml:9:61 rule 'a:pattern' cannot be evaluated: "
        "Invalid Input Error: invalid perl operator: (?! Write SQL that DuckDB can run."
    )


@pytest.mark.parametrize("expression", ["cast(b as integer) > 0", "a + a <> 1", "sqrt(a) < 9"])
def test_a_rule_that_fails_on_a_row_stops_the_step_and_is_named(
    contract: Written, judge: Judge, expression: str
) -> None:
    found = contract(
        "{name: a, logicalType: integer}",
        "{name: b, logicalType: string}",
        quality=[f"{{name: r, engine: duckdb, implementation: '{expression}'}}"],
    )
    with pytest.raises(UsedWrongly) as caught:
        judge(found, {"a": ["9223372036854775807", "-3"], "b": ["1", "x"]})
    assert caught.value.code == "DP-C076"
    assert caught.value.message.startswith("A rule of orders fails on a row instead of returning a verdict: ")
    assert caught.value.where == "Contract orders.odcs.yaml 1.2.3"


@pytest.mark.parametrize(
    ("table", "code", "message"),
    [
        ("(select 1 as ids)", "DP-C017", "t.id, but table t has no such column; did you mean 'ids'?"),
        ("nowhere", "DP-C055", "t.id, but there is no table t"),
    ],
)
def test_a_relationship_that_leads_nowhere_is_told_with_its_place(
    contract: Written, judge: Judge, table: str, code: str, message: str
) -> None:
    found = contract("{name: a, logicalType: string, relationships: [{to: t.id}]}")
    with pytest.raises(UsedWrongly) as caught:
        judge(found, {"a": ["x"]}, references={"t": table})
    assert (caught.value.code, caught.value.message) == (code, f"orders.odcs.yaml:9:56 refers to {message}")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"dep_dely": ["1"], "id": ["1"]},
            "DP-C003 The data lacks columns of the contract: dep_delay; did you mean 'dep_dely'? Table orders, "
            "contract "
            "orders.odcs.yaml 1.2.3. Correct the name in the contract, or deliver the column.",
        ),
        (
            {"x": ["1"]},
            "DP-C003 The data lacks columns of the contract: id, dep_delay; known: x. Table orders, contract "
            "orders.odcs.yaml 1.2.3. Correct the name in the contract, or deliver the column.",
        ),
        (
            {"id": ["1"], "dep_delay": ["1"], "more": ["1"], "_dp_kept": ["1"]},
            "DP-C004 The data has columns that the contract lacks: more. Table orders, contract "
            "orders.odcs.yaml 1.2.3. Add them to the contract, or leave them out of the data.",
        ),
    ],
)
def test_absent_and_unknown_columns_are_refused(
    contract: Written, judge: Judge, columns: dict[str, list[str]], message: str
) -> None:
    found = contract("{name: id, logicalType: integer}", "{name: dep_delay, logicalType: integer}")
    with pytest.raises(Refused) as caught:
        judge(found, columns)
    assert str(caught.value) == message


def test_any_column_name_can_be_contracted(contract: Written, judge: Judge) -> None:
    names = ["select", "Unit price", 'say "hi"', "it's", "a.b", "é", "order:type", "$v0", "--"]
    quoted = [name.replace("'", "''") for name in names]
    found = contract(*(f"{{name: '{name}', logicalType: integer, required: true, unique: true}}" for name in quoted))
    judged = judge(found, {name: ["1", None, "3"] for name in names})
    assert judged.rules == [None, [f"{name}:required" for name in names], None]


def test_columns_of_the_platform_are_kept_and_not_judged(
    contract: Written, connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute("create table raw as select '1' as a, 'f.csv' as _dp_file, 2 as _dp_line, 'x' as _dp_refused")
    judged = judge_rows(connection, "raw", compile_contract(contract("{name: a, logicalType: integer}")))
    assert judged.rows.columns == ("a", "_dp_file", "_dp_line")
    staged = connection.execute(f"from {judged.marked()}")
    names = [column[0] for column in staged.description]
    assert dict(zip(names, staged.fetchall()[0], strict=True)) == {
        "a": 1,
        "_dp_file": "f.csv",
        "_dp_line": 2,
        "_dp_rules": ["function: x"],
        "_dp_warnings": None,
    }


def test_a_function_refuses_a_row_by_giving_its_reason(contract: Written, judge: Judge) -> None:
    found = contract("{name: a, logicalType: integer, logicalTypeOptions: {maximum: 5}}")
    judged = judge(found, {"a": ["1", "2", "9", "x"], "_dp_refused": [None, "too odd", "too odd", ""]})
    assert judged.rules == [None, ["function: too odd"], ["a:maximum", "function: too odd"], ["a:type", "function: "]]
    assert judged.failing == {"a:type": 1, "a:maximum": 1, "function": 3}
    assert (judged.audits[0].rows_in, judged.audits[0].rows_refused) == (4, 3)


@pytest.mark.parametrize("nothing", [pa.nulls(2), pa.nulls(2, pa.string()), pa.nulls(2, pa.float64())])
def test_a_function_that_refuses_nobody_may_leave_its_column_empty(
    contract: Written, judge: Judge, nothing: pa.Array
) -> None:
    table = pa.table({"a": ["1", "2"], "_dp_refused": nothing})
    assert judge(contract("{name: a, logicalType: integer}"), table).rules == [None, None]


def test_each_batch_has_its_own_verdicts_also_one_without_rows(contract: Written, judge: Judge) -> None:
    found = contract("{name: a, logicalType: integer, required: true, logicalTypeOptions: {maximum: 5}}")
    columns = {"a": ["1", "9", None, "9", "x"], "_dp_partition": ["jan", "jan", "jan", "feb", "feb"]}
    judged = judge(found, columns, partitions=["jan", "feb", "mar"])

    def audit(partition: str, rows: Sequence[int], failing: Mapping[str, int]) -> BatchAudit:
        names = ("a:type", "a:required", "a:maximum")
        return BatchAudit(partition, *rows, tuple(Verdict(name, "error", failing.get(name, 0)) for name in names))

    assert judged.audits == [
        audit("jan", (3, 2), {"a:required": 1, "a:maximum": 1}),
        audit("feb", (2, 2), {"a:type": 1, "a:maximum": 1}),
        audit("mar", (0, 0), {}),
    ]


def test_a_table_without_rows_holds_every_contract(contract: Written, judge: Judge) -> None:
    judged = judge(contract("{name: a, logicalType: integer, required: true, unique: true}"), {"a": []})
    assert [(a.partition, a.rows_in, a.rows_refused, a.rows_audited) for a in judged.audits] == [("", 0, 0, 0)]


def test_rows_staged_later_replace_those_staged_before(contract: Written, judge: Judge) -> None:
    judge(contract("{name: a, logicalType: integer}"), {"a": ["x", "y"]})
    other = contract("{name: b, logicalType: string}")
    assert judge(other, {"b": ["x"]}).values == [("x",)]
    assert judge(other, {"b": ["x"]}).audits[0].rows_in == 1


def test_of_each_rule_a_few_refused_rows_are_kept_the_first_ones(
    contract: Written, connection: duckdb.DuckDBPyConnection
) -> None:
    found = contract(
        "{name: a, logicalType: integer, primaryKey: true, logicalTypeOptions: {maximum: 9}}",
        "{name: b, logicalType: string, enum: [{value: x}]}",
    )
    connection.execute("create table t as select i as a, if(i = 4000, 'y', 'x') as b from range(5000) as r(i)")
    judged = judge_rows(connection, "(select *, 9000 - a as _dp_line from t)", compile_contract(found), samples=3)
    assert judged.rows_refused == 4990
    assert [(row["line"], row["a"], row["rules"]) for row in judged.sample()] == [
        (4001, "4999", ("a:maximum",)),
        (4002, "4998", ("a:maximum",)),
        (4003, "4997", ("a:maximum",)),
        (5000, "4000", ("a:maximum", "b:enum")),
    ]
    by_key = judge_rows(connection, "t", compile_contract(found), samples=2).sample()
    assert [row["a"] for row in by_key] == ["10", "11", "4000"]


def test_a_rule_that_says_one_thing_and_then_another_is_refused(
    contract: Written, connection: duckdb.DuckDBPyConnection
) -> None:
    plan = compile_contract(contract("{name: a, logicalType: integer, logicalTypeOptions: {maximum: 9}}"))
    plan = replace(plan, violations={**plan.violations, "a:maximum": "a + random() > 500.5"})
    connection.execute("create table t as select 500 as a, i as _dp_line from range(10000) as r(i)")
    judged = judge_rows(connection, "t", plan)
    with pytest.raises(UsedWrongly, match="DP-C075 A rule of orders gives two verdicts on the same row"):
        judged.split()


def test_rows_stay_where_they_are_unless_texts_are_to_be_values(
    contract: Written, connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute("create table t as select 1::integer as a, 'x' as b, 1.5::float as c")
    columns = ("{name: b, logicalType: string}", "{name: c, logicalType: number}")
    typed = compile_contract(contract("{name: a, logicalType: integer}", *columns))
    assert not judge_rows(connection, "t", typed).rows.copied
    assert judge_rows(connection, "(select a::varchar as a, b, c from t)", typed).rows.copied


def test_each_key_has_its_own_table_of_doubles(contract: Written, judge: Judge) -> None:
    found = contract("{name: a, logicalType: string, unique: true}", "{name: b, logicalType: string, unique: true}")
    assert judge(found, {"a": ["x", "x", "y"], "b": ["x", "y", "y"]}).rules == [
        ["a:unique"],
        ["a:unique", "b:unique"],
        ["b:unique"],
    ]


@pytest.mark.parametrize(
    ("column", "values", "fine"),
    [
        (
            "number, physicalType: float, logicalTypeOptions: {minimum: 0.7}",
            "(0.7::float), (0.69::float)",
            [True, False],
        ),
        ("number, physicalType: 'decimal(20,2)', logicalTypeOptions: {maximum: 0.1}", "(0.10), (0.11)", [True, False]),
        (
            "integer, logicalTypeOptions: {maximum: 9007199254740991.0}",
            "(9007199254740991), (9007199254740992)",
            [True, False],
        ),
    ],
)
def test_a_bound_is_as_exact_as_its_column(
    contract: Written, connection: duckdb.DuckDBPyConnection, column: str, values: str, fine: list[bool]
) -> None:
    plan = compile_contract(contract(f"{{name: a, logicalType: {column}}}"))
    cast = plan.contract.columns[0].sql_type
    rows = f"(select a::{cast} as a, row_number() over () as _dp_line from (values {values}) as t(a))"
    judged = judge_rows(connection, rows, plan, samples=9)
    assert [row["line"] for row in judged.sample()] == [i + 1 for i, ok in enumerate(fine) if not ok]


def test_a_reference_is_a_value_of_the_columns_own_type(
    contract: Written, connection: duckdb.DuckDBPyConnection
) -> None:
    plan = compile_contract(contract("{name: a, logicalType: integer, relationships: [{to: c.id}, {to: d.ID}]}"))
    connection.execute("create table t as select unnest([1, 2, 3]) as a, 1 as _dp_line")
    connection.execute('create table d as select unnest([1, 2, 3]) as "ID"')
    for known in ("(1.5::double), (2.0)", "('1.5'), ('2')", "('2'), ('x')"):
        connection.execute(f"create or replace table c as from (values {known}) as t(id)")
        judged = judge_rows(connection, "t", plan, references={"c": "c", "d": "d"})
        failing = {v.rule: v.failing_rows for v in judged.audits([""])[0].verdicts if v.failing_rows}
        assert failing == {"a:relationship": 2}
