"""Keys that occur twice are found by whatever way suits them: all ways find the same."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.contracts import other_rows
from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract, Rule
from dataops_platform.contracts.engine import judge as judge_rows
from dataops_platform.contracts.other_rows import duplicate_keys
from tests.fixtures.campaign import CAMPAIGN

KEY = Rule("primary_key", "unique", ("k",))
PAIR = Rule("primary_key", "unique", ("k", "l"))


@pytest.fixture
def always_clever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows, too, are looked up in bitmaps or by their hashes, in slices of ten."""
    monkeypatch.setattr(other_rows, "FEW_ROWS", 0)
    monkeypatch.setattr(other_rows, "SLICE_ROWS", 10)


@pytest.mark.usefixtures("always_clever")
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", st.integers(-30, 30)),
        ("bigint", st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**63 - 1, -(2**63)])),
        ("tinyint", st.integers(-128, 127)),
        ("ubigint", st.integers(2**64 - 30, 2**64 - 1)),
        ("hugeint", st.integers(2**80, 2**80 + 9)),
        ("varchar", st.text("ab", max_size=2)),
        ("double", st.sampled_from([0.0, -0.0, 1.5, 2.0])),
        ("date", st.dates().map(str)),
    ],
)
def test_every_way_finds_the_keys_that_occur_twice(kind: str, values: st.SearchStrategy[object]) -> None:
    with duckdb.connect() as connection:

        @settings(max_examples=15 if CAMPAIGN else 10, deadline=None, database=None)
        @given(st.lists(st.none() | values, max_size=40), st.integers(0, 9), st.lists(st.none() | values, max_size=5))
        def law(drawn: list[object], again: int, before: list[object]) -> None:
            keys = [*drawn, *drawn[:again]]
            for table, rows in {"t": keys, "o": before}.items():
                connection.execute(f"create or replace table {table} (k {kind})")
                if rows:
                    connection.execute(f"insert into {table} select unnest($rows)", {"rows": rows})
            found = duplicate_keys(connection, "t", KEY, "doubled", "o")
            doubled = [k for (k,) in connection.execute("from doubled").fetchall()]
            counts = Counter(k for (k,) in connection.execute("from t where k is not null").fetchall())
            others = {k for (k,) in connection.execute("from o").fetchall()}
            expected = {k for k, n in counts.items() if n > 1 or k in others}
            assert (len(doubled), set(doubled), found) == (len(expected), expected, bool(expected))

        law()


@pytest.mark.usefixtures("always_clever")
@settings(max_examples=40 if CAMPAIGN else 12, deadline=None, database=None)
@given(st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.text("ab", max_size=1)), max_size=40))
def test_keys_of_several_columns_occur_twice_only_together(pairs: list[tuple[int | None, str | None]]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t (k integer, l varchar)")
        for pair in pairs:
            connection.execute("insert into t values ($k, $l)", dict(zip("kl", pair, strict=True)))
        duplicate_keys(connection, "t", PAIR, "doubled")
        counts = Counter(pair for pair in pairs if None not in pair)
        assert set(connection.execute("from doubled").fetchall()) == {pair for pair, n in counts.items() if n > 1}


@pytest.mark.usefixtures("always_clever")
@pytest.mark.parametrize(("key", "way"), [("i", "_dp_crowded"), ("i * 1000", "_dp_hashes"), ("'k' || i", "_dp_hashes")])
def test_dense_integers_are_looked_up_in_bitmaps_and_other_keys_by_their_hashes(key: str, way: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table t as select {key} as k from range(5000) as r(i)")
        assert not duplicate_keys(connection, "t", KEY, "doubled")
        tables = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
        assert tables & {"_dp_crowded", "_dp_hashes"} == {way}
        connection.execute(f"insert into t select k from t where k in (select {key} from (values (7), (4999)) as r(i))")
        assert duplicate_keys(connection, "t", KEY, "doubled")
        assert len(connection.execute("from doubled").fetchall()) == 2


BATCHES = st.lists(st.lists(st.tuples(st.none() | st.integers(0, 6), st.integers(-1, 4)), max_size=6), max_size=4)


@settings(max_examples=25 if CAMPAIGN else 8, deadline=None, database=None)
@given(BATCHES)
def test_batches_judged_one_after_another_add_up_to_all_rows_at_once(
    keyed: Contract, batches: list[list[tuple[int | None, int]]]
) -> None:
    """Only new rows are looked at; of rows with the same key, those that came later are blamed, not all of them."""
    plan, before = compile_contract(keyed), Counter[str]()
    with duckdb.connect() as connection:
        connection.execute("create table held (k bigint, n bigint)")
        connection.execute("create table new (k bigint, n bigint)")
        for batch in batches:
            connection.execute("delete from new")
            for k, n in batch:
                connection.execute("insert into new values ($k, $n)", {"k": k, "n": n})
            (audit,) = judge_rows(connection, "new", plan, others="held").audits([""])
            before.update({v.rule: v.failing_rows for v in audit.verdicts if v.rule != "primary_key"})
            later = Counter(k for k, _ in batch if k is not None)
            held = {k for (k,) in connection.execute("select k from held").fetchall()}
            expected = sum(n for k, n in later.items() if n > 1 or k in held)
            assert next(v.failing_rows for v in audit.verdicts if v.rule == "primary_key") == expected
            connection.execute("insert into held from new")
        (all_rows,) = judge_rows(connection, "held", plan).audits([""])
        at_once = {v.rule: v.failing_rows for v in all_rows.verdicts if v.rule != "primary_key"}
        assert {rule: before[rule] for rule in at_once} == at_once


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """A contract with a key and a rule over single rows."""
    from dataops_platform.contracts.odcs import load_contract

    path = tmp_path_factory.mktemp("keyed") / "held.odcs.yaml"
    path.write_text(
        "{apiVersion: v3.2.0, kind: DataContract, id: held, version: 1.0.0, team: {name: a}, schema: [{name: held, "
        "properties: [{name: k, logicalType: integer, primaryKey: true}, {name: n, logicalType: integer, "
        "logicalTypeOptions: {minimum: 0}}]}]}"
    )
    return load_contract(path)
