"""The law of conservation, and every verdict, against an oracle that knows no SQL."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import judge
from dataops_platform.contracts.odcs import load_contract
from tests.fixtures.campaign import CAMPAIGN
from tests.fixtures.contract_head import contract_head

CONTRACT = (
    contract_head(team="sales")
    + """\
      - {name: id, logicalType: integer, primaryKey: true, logicalTypeOptions: {minimum: 0}}
      - {name: day, logicalType: date, primaryKey: true}
      - {name: word, logicalType: string, required: true, logicalTypeOptions: {maxLength: 2, pattern: "^[a-z]*$"}}
      - {name: share, logicalType: number, unique: true, logicalTypeOptions: {exclusiveMinimum: 0, maximum: 1}}
      - {name: state, logicalType: string, enum: [{value: on}, {value: off}], relationships: [{to: states.state}]}
    quality:
      - {name: small, engine: duckdb, implementation: "share <= 0.5 or word = 'a'"}
      - {name: early, engine: duckdb, implementation: "id < 2", severity: warning}
"""
)
CONTRACT = CONTRACT.replace("{value: on}, {value: off}", "{value: 'on'}, {value: 'off'}")
NULLS = ("NA", "-")
STATES = {"on"}
PARTITIONS = ["jan", "feb", "mar"]
POOLS = {
    "id": ["0", "1", "2", "02", "-1", "1.5", "1e0", "x", "", "NA", None],
    "day": ["2024-02-29", "2024-2-29", "2023-02-29", "2024-03-01", "2024-03-01x", "-", None],
    "word": ["a", "b", "zz", "abc", "A", "", "NA", None],
    "share": ["0.5", ".5", "0.25", "1", "0", "0.75", "2", "nan", "1_0", "NA", None],
    "state": ["on", "off", "On", "", "-", None],
    "_dp_refused": [None, None, None, "odd"],
    "_dp_partition": PARTITIONS[:2],
}
Row = dict[str, str | None]


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """A contract with a rule of each kind."""
    path: Path = tmp_path_factory.mktemp("law") / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    return load_contract(path)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that holds the table the contract refers to."""
    with duckdb.connect() as found:
        found.execute("create table states as select * from (values ('on'), (null)) as t(state)")
        yield found


def integer(text: str) -> int | None:
    """The integer a text is, if it is one."""
    return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else None


def number(text: str) -> float | None:
    """The finite number a text is, if it is one."""
    return float(text) if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", text) else None


def day(text: str) -> dt.date | None:
    """The day a text is, if it is one."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", text):
        return None
    try:
        return dt.date(*map(int, text.split("-")))
    except ValueError:
        return None


READ = {"id": integer, "day": day, "word": str, "share": number, "state": str}


def oracle(rows: list[Row]) -> tuple[list[set[str]], list[set[str]]]:
    """The rules and the warnings that each row breaks."""
    broken: list[set[str]] = []
    warned: list[set[str]] = []
    typed: list[dict[str, object]] = []
    for row in rows:
        given = {name: None if row[name] in NULLS else row[name] for name in READ}
        value = {name: None if text is None else READ[name](text) for name, text in given.items()}  # type: ignore[operator]
        typed.append(value)
        found = {f"{n}:type" for n in READ if value[n] is None and given[n] is not None}
        found |= {f"{n}:required" for n in ("id", "day", "word") if given[n] is None}
        number_, word, share, state = (value[name] for name in ("id", "word", "share", "state"))
        if number_ is not None and number_ < 0:
            found.add("id:minimum")
        if word is not None and len(word) > 2:
            found.add("word:max_length")
        if word is not None and not re.fullmatch("[a-z]*", word):
            found.add("word:pattern")
        if share is not None and share <= 0:
            found.add("share:exclusive_minimum")
        if share is not None and share > 1:
            found.add("share:maximum")
        if state is not None and state not in ("on", "off"):
            found.add("state:enum")
        if state is not None and state not in STATES:
            found.add("state:relationship")
        if share is not None and share > 0.5 and word is not None and word != "a":
            found.add("small")
        if row["_dp_refused"] is not None:
            found.add(f"function: {row['_dp_refused']}")
        broken.append(found)
        warned.append({"early"} if number_ is not None and number_ >= 2 else set())
    for name, columns in {"primary_key": ("id", "day"), "share:unique": ("share",)}.items():
        keys = [tuple(value[column] for column in columns) for value in typed]
        twice = {key for key, count in Counter(keys).items() if count > 1 and None not in key}
        for found, key in zip(broken, keys, strict=True):
            found |= {name} if key in twice else set()
    return broken, warned


@settings(max_examples=80 if CAMPAIGN else 25, deadline=None, database=None)
@given(st.lists(st.fixed_dictionaries({name: st.sampled_from(pool) for name, pool in POOLS.items()}), max_size=9))
def test_every_verdict_is_that_of_the_oracle_and_no_row_is_lost(
    contract: Contract, connection: duckdb.DuckDBPyConnection, rows: list[Row]
) -> None:
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in POOLS}
    connection.register("given_rows", pa.table({**columns, "_dp_line": pa.array(range(len(rows)), pa.int64())}))
    plan = compile_contract(contract)
    judged = judge(connection, "given_rows", plan, null_values=NULLS, references={"states": "states"})
    marked = connection.execute(f"select _dp_line, _dp_rules, _dp_warnings from {judged.marked()}").fetchall()
    found = {line: (rules or [], warnings or []) for line, rules, warnings in marked}
    broken, warned = oracle(rows)

    assert [set(found.get(line, ([], []))[0]) for line in range(len(rows))] == broken
    assert [set(found.get(line, ([], []))[1]) for line in range(len(rows))] == warned
    assert all(len(rules) == len(set(rules)) for rules, _ in found.values())

    judged.split()
    good = connection.execute(f"select _dp_line from {judged.good()} order by 1").fetchall()
    assert [line for (line,) in good] == [line for line, rules in enumerate(broken) if not rules]

    batches = judged.audits(PARTITIONS)
    assert [batch.partition for batch in batches] == PARTITIONS
    assert sum(batch.rows_in for batch in batches) == len(rows)
    for batch in batches:
        own = [i for i, row in enumerate(rows) if row["_dp_partition"] == batch.partition]
        refused = sum(bool(broken[i]) for i in own)
        assert (batch.rows_in, batch.rows_audited, batch.rows_refused) == (len(own), len(own) - refused, refused)
        failing = Counter(
            rule.partition(": ")[0] if rule.startswith("function: ") else rule
            for i in own
            for rule in broken[i] | warned[i]
        )
        assert {v.rule: v.failing_rows for v in batch.verdicts if v.failing_rows} == failing
