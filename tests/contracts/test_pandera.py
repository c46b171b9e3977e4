"""The engine and pandera say the same of the same rows; a contract survives the way to pandera and back."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import judge
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.contracts.pandera_schema import Backend, from_pandera, to_pandera
from dataops_platform.kit.errors import UsedWrongly
from tests.fixtures.campaign import CAMPAIGN

BACKENDS: list[Backend] = ["polars", "pandas"]
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 2.1.0
team: {name: sales}
description: {purpose: Every order.}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true, logicalTypeOptions: {minimum: 0, exclusiveMaximum: 5}}
      - {name: day, logicalType: date, primaryKey: true}
      - name: word
        logicalType: string
        required: true
        classification: internal
        logicalTypeOptions: {minLength: 1, maxLength: 2, pattern: "^[a-z]*$"}
        customProperties: [{property: knownAt, value: opening}]
      - {name: share, logicalType: number, unique: true, logicalTypeOptions: {exclusiveMinimum: 0, maximum: 1}}
      - name: state
        logicalType: string
        enum: [{value: "on"}, {value: "off"}]
        relationships: [{to: states.state}]
      - {name: parent, logicalType: integer, physicalType: integer, relationships: [{to: orders.id}]}
      - {name: at, logicalType: timestamp, physicalType: timestamptz}
      - {name: price, logicalType: number, physicalType: "decimal(9,2)"}
      - {name: paid, logicalType: boolean}
      - {name: hour, logicalType: time}
    quality:
      - {name: small, engine: duckdb, implementation: "share <= 0.5 or word = 'a'", description: Not too much.}
      - {name: early, engine: duckdb, implementation: "id < 2", severity: warning}
"""
UTC = dt.UTC
POOLS: dict[str, tuple[pl.DataType, list[Any]]] = {
    "id": (pl.Int64(), [0, 1, 2, 5, -1, None]),
    "day": (pl.Date(), [dt.date(2024, 2, 29), dt.date(2024, 3, 1), None]),
    "word": (pl.String(), ["a", "b", "zz", "abc", "A", "", None]),
    "share": (pl.Float64(), [0.5, 0.25, 1.0, 0.0, 0.75, 2.0, None]),
    "state": (pl.String(), ["on", "off", "On", "", None]),
    "parent": (pl.Int32(), [0, 1, 7, None]),
    "at": (pl.Datetime("us", "UTC"), [dt.datetime(2024, 1, 1, tzinfo=UTC), None]),
    "price": (pl.Decimal(9, 2), [None]),
    "paid": (pl.Boolean(), [True, False, None]),
    "hour": (pl.Time(), [dt.time(7), None]),
}
STATES = pl.DataFrame({"state": ["on", None]})


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """A contract with a rule of each kind and a column of each type."""
    path: Path = tmp_path_factory.mktemp("law") / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    return load_contract(path)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that holds the table the contract refers to."""
    with duckdb.connect() as found:
        found.register("states", STATES.to_arrow())
        yield found


@pytest.fixture(scope="module")
def judged_by(contract: Contract) -> Callable[[Backend, pl.DataFrame], list[set[str]]]:
    """The rules that pandera says each row breaks, warnings too."""
    strict = replace(contract, rules=tuple(replace(rule, severity="error") for rule in contract.rules))
    schemas = {
        "polars": to_pandera(strict, "polars", {"states": STATES}),
        "pandas": to_pandera(strict, "pandas", {"states": STATES.to_pandas()}),
    }

    def judge(backend: Backend, frame: pl.DataFrame) -> list[set[str]]:
        schema, broken = schemas[backend], [set[str]() for _ in range(len(frame))]
        given_frame = frame if backend == "polars" else as_pandas(frame, schema)
        try:
            schema.validate(given_frame, lazy=True)
        except Exception as error:  # SchemaErrors of either backend
            cases = cast("Any", error).failure_cases
            for case in cases.to_dicts() if backend == "polars" else cases.to_dict("records"):
                rule = f"{case['column']}:required" if case["check"] == "not_nullable" else case["check"]
                broken[int(case["index"])].add(rule)
        return broken

    return judge


def as_pandas(frame: pl.DataFrame, schema: Any) -> Any:
    made = frame.to_pandas(use_pyarrow_extension_array=True)
    return made.astype({name: column.dtype.type for name, column in schema.columns.items()})


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=12 if CAMPAIGN else 5, deadline=None, database=None)
@given(st.lists(st.fixed_dictionaries({name: st.sampled_from(pool) for name, (_, pool) in POOLS.items()}), max_size=7))
def test_the_engine_and_pandera_blame_the_same_rows_for_the_same_rules(
    backend: Backend,
    contract: Contract,
    connection: duckdb.DuckDBPyConnection,
    judged_by: Callable[[Backend, pl.DataFrame], list[set[str]]],
    rows: list[dict[str, Any]],
) -> None:
    frame = pl.DataFrame(rows, schema={name: kind for name, (kind, _) in POOLS.items()})
    connection.register(
        "given_rows", frame.to_arrow().append_column("_dp_line", pa.array(range(len(rows)), pa.int64()))
    )
    judged = judge(connection, "given_rows", compile_contract(contract), references={"states": "states"})
    marked = connection.execute(f"select _dp_line, _dp_rules, _dp_warnings from {judged.marked()}").fetchall()
    found = {line: {*(rules or ()), *(warned or ())} for line, rules, warned in marked}
    assert judged_by(backend, frame) == [found.get(line, set()) for line in range(len(rows))]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_contract_comes_back_from_pandera_as_it_was(backend: Backend, contract: Contract) -> None:
    back = from_pandera(to_pandera(contract, backend, {"states": STATES.to_pandas()}), contract.path)
    by_name = sorted(contract.rules, key=lambda rule: rule.name)
    assert sorted(back.rules, key=lambda rule: rule.name) == by_name
    assert replace(back, rules=()) == replace(contract, rules=())


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_contract_of_the_example_comes_back(backend: Backend, flights: Path) -> None:
    for path in sorted((flights / "contracts").glob("*.yaml")):
        contract = load_contract(path)
        frames = {str(rule.argument).partition(".")[0]: {} for rule in contract.rules if rule.kind == "relationship"}
        frames = {name: pl.DataFrame({"carrier": [""], "faa": [""]}).to_pandas() for name in frames}
        assert from_pandera(to_pandera(contract, backend, frames), path).digest == contract.digest


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_warning_warns(backend: Backend, contract: Contract) -> None:
    row = {"id": 3, "day": dt.date(2024, 1, 1), "word": "a", "share": 0.5, "state": "on", "parent": None}
    frame = pl.DataFrame([{name: row.get(name) for name in POOLS}], schema={n: kind for n, (kind, _) in POOLS.items()})
    schema = to_pandera(contract, backend, {"states": STATES.to_pandas()})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        schema.validate(frame if backend == "polars" else as_pandas(frame, schema), lazy=True)
    assert [w for w in said if "early" in str(w.message)]


def test_a_schema_written_by_hand_becomes_a_contract() -> None:
    import pandera.polars as pandera

    schema = pandera.DataFrameSchema(
        {
            "id": pandera.Column(pl.Int64, unique=True),
            "share": pandera.Column(pl.Float64, pandera.Check.in_range(0, 1, include_max=False), nullable=True),
            "word": pandera.Column(pl.String, [pandera.Check.str_length(1, 3), pandera.Check.isin(["a", "b"])]),
        },
        name="orders",
        unique=["id", "word"],
    )
    contract = from_pandera(schema)
    assert (contract.table, contract.primary_key) == ("orders", ("id", "word"))
    assert {rule.name: rule.argument for rule in contract.rules} == {
        "id:type": "integer",
        "id:required": None,
        "id:unique": None,
        "share:type": "number",
        "share:minimum": 0,
        "share:exclusive_maximum": 1,
        "word:type": "string",
        "word:required": None,
        "word:min_length": 1,
        "word:max_length": 3,
        "word:enum": ("a", "b"),
        "primary_key": None,
    }


def test_what_a_contract_cannot_say_is_refused() -> None:
    import pandera.polars as pandera

    for code, column in (
        ("DP-C015", pandera.Column(pl.List(pl.Int64))),
        ("DP-C077", pandera.Column(pl.Int64, pandera.Check(lambda data: data.lazyframe.select(pl.col(data.key) > 0)))),
        ("DP-C077", pandera.Column(pl.String, pandera.Check.str_startswith("a"))),
    ):
        with pytest.raises(UsedWrongly, match=code):
            from_pandera(pandera.DataFrameSchema({"id": column}, name="orders"))
    wide = pandera.DataFrameSchema({"id": pandera.Column(pl.Int64)}, checks=pandera.Check(lambda data: True))
    with pytest.raises(UsedWrongly, match="DP-C078"):
        from_pandera(wide)


def test_a_relationship_needs_the_other_table(contract: Contract) -> None:
    with pytest.raises(UsedWrongly, match="DP-C079 The rule 'state:relationship' refers to states"):
        to_pandera(contract, "polars")
