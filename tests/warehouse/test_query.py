"""A question changes nothing, and reads nothing but the lake's tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.warehouse import foreign_write
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import open_lake
from dataops_platform.warehouse.query import ask
from tests.fixtures import lakes

CATALOG = "__ducklake_metadata_lake"


@pytest.fixture(scope="module", params=lakes.CATALOGS)
def shown(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, extensions: Path, engine: Any
) -> LakeLocation:
    """A lake whose dev shows orders 1 to 5; of all questions, since none changes it."""
    location = lakes.location_on(request.param, request, tmp_path_factory.mktemp("shown"), extensions)
    with lakes.open_in(engine, location) as lake:
        lakes.write(lake, "orders", "select i as id, i % 2 = 0 as even from range(1, 6) t(i)")
        lakes.show(lake, "orders")
    return location


def test_selects_of_every_form_are_answered(shown: LakeLocation) -> None:
    for query, first in {
        "with o as (from orders) select max(id) as n from o; -- the end": {"n": 5},
        "values (7)": {"col0": 7},
        "select sum(a) + any_value(b) as n from generate_series(1, 3) t(a), unnest([4]) u(b)": {"n": 10},
        "select id from dev.orders intersect select id from dev__build.orders order by 1": {"id": 1},
        "pivot (summarize orders) on column_name in ('id') using count(*)": None,
        "show tables": {"name": "orders"},
        f"select {'+'.join(['1'] * 500)} as n from information_schema.tables": {"n": 500},
    }.items():
        answer = ask(shown, "dev", query, 10)
        assert first is None or answer.rows[0] == first, query


def test_no_more_rows_than_asked_for_and_it_says_that_there_are_more(shown: LakeLocation) -> None:
    assert [(len(a.rows), a.more) for a in (ask(shown, "dev", "from orders", n) for n in (4, 5, 6))] == [
        (4, True),
        (5, False),
        (5, False),
    ]


def test_columns_of_one_name_are_all_shown(shown: LakeLocation) -> None:
    answer = ask(
        shown, "dev", "select a.id, b.id, 3 as id from orders a join orders b on b.id = a.id + 1 order by 1", 1
    )
    assert answer.columns == ("id", "id_1", "id_1_1")
    assert answer.rows == [{"id": 1, "id_1": 2, "id_1_1": 3}]


@pytest.mark.parametrize(
    "query",
    [
        *(
            "insert into orders values (1, true)",
            "delete from orders",
            "create table x as select 1",
            "drop view orders",
        ),
        *("copy orders to '{inside}'", "attach ':memory:' as m", "pragma database_list", "call checkpoint()", "begin"),
        *("select 1; select 2", "select 1; drop view orders", "", ";", "-- nothing", "set lock_configuration = false"),
        *(
            "use memory",
            "load httpfs",
            "install httpfs",
            "export database '{inside}'",
            "vacuum",
            "prepare a as select 1",
        ),
        *("explain select 1", "explain analyze copy (select 1) to '{inside}'", "explain analyze delete from orders"),
        *("call lake.set_option('data_inlining_row_limit', 5)", "call ducklake_expire_snapshots('lake')"),
    ],
)
def test_anything_but_one_select_is_refused(query: str, tmp_path: Path) -> None:
    """Before the lake is even opened."""
    with pytest.raises(UsedWrongly, match=r"^DP-Q001 Only a single SELECT"):
        ask(_nowhere(tmp_path), "dev", query.format(inside=tmp_path / "x"), 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "source, named",
    [
        ("read_csv('/etc/passwd')", "read_csv"),
        ("system.main.READ_TEXT('/etc/passwd')", "read_text"),
        ("read_blob('{inside}')", "read_blob"),
        ("read_json('/proc/self/environ')", "read_json"),
        ("glob('/etc/*')", "glob"),
        ("parquet_metadata('{inside}')", "parquet_metadata"),
        ("sqlite_scan('{inside}', 't')", "sqlite_scan"),
        (f"sqlite_query('{CATALOG}', 'select 1')", "sqlite_query"),
        ("sqlite_attach('{inside}')", "sqlite_attach"),
        (f"postgres_query('{CATALOG}', 'select pg_read_file(''/etc/passwd'')')", "postgres_query"),
        (f"postgres_execute('{CATALOG}', 'drop table x')", "postgres_execute"),
        ("postgres_scan('host=127.0.0.1', 'public', 't')", "postgres_scan"),
        ("query('select 1')", "query"),
        ("query_table('orders')", "query_table"),
        ("json_execute_serialized_sql('{{}}')", "json_execute_serialized_sql"),
        ("ducklake_set_option('lake', 'data_inlining_row_limit', 5)", "ducklake_set_option"),
        ("ducklake_cleanup_old_files('lake', cleanup_all => true)", "ducklake_cleanup_old_files"),
        ("duckdb_secrets()", "duckdb_secrets"),
        ("duckdb_databases", "duckdb_databases"),
        ("pragma_database_list", "pragma_database_list"),
        (f"{CATALOG}.ducklake_snapshot", CATALOG),
        (f'"{CATALOG.upper()}".public.ducklake_snapshot', CATALOG),
    ],
)
def test_a_select_from_elsewhere_is_refused_by_name_wherever_it_hides(source: str, named: str, tmp_path: Path) -> None:
    text = source.format(inside=tmp_path / "x")
    for query in (
        f"with x as (from {text}) select 1 from range(1)",
        f"select (select count(*) from {text})",
        f"summarize (select * from {text})",
        f"select 1 union all select 2 where exists (from range(3), {text})",
    ):
        with pytest.raises(UsedWrongly, match=rf"^DP-Q004 A SELECT cannot read from {named}\."):
            ask(_nowhere(tmp_path), "dev", query, 1)


def test_files_cannot_be_read_by_name_nor_variables_of_this_program(shown: LakeLocation, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("password\nhunter2\n")
    with sqlite3.connect(tmp_path / "secret.sqlite") as other:
        other.execute("create table t as select 'hunter2'")
    other.close()
    for source in (
        *(f"'{tmp_path}/secret.csv'", f"'{tmp_path}/secret.sqlite'", f"'{shown.data}/../secret.csv'", "location"),
    ):
        with pytest.raises(UsedWrongly, match=r"^DP-Q002") as caught:
            ask(shown, "dev", f"select * from {source}", 1)
        assert "hunter2" not in str(caught.value)
    with pytest.raises(UsedWrongly, match=r"^DP-Q002 .*getenv"):
        ask(shown, "dev", "select getenv('HOME')", 1)


def test_what_duckdb_cannot_run_is_said_without_its_exceptions(shown: LakeLocation, tmp_path: Path) -> None:
    with pytest.raises(UsedWrongly, match=r"^DP-Q008 This is not SQL"):
        ask(_nowhere(tmp_path), "dev", "selec 1", 1)
    with pytest.raises(UsedWrongly, match=r"^DP-Q008 This is not SQL: it holds a NUL"):
        ask(_nowhere(tmp_path), "dev", "select '\0'", 1)
    for query in (
        "select nothing from orders",
        "from absent",
        "select 'x'::int",
        "select $1",
        "from orders at (version => 1)",
    ):
        with pytest.raises(UsedWrongly, match=r"^DP-Q002 DuckDB cannot run this"):
            ask(shown, "dev", query, 1)


def test_an_environment_that_shows_nothing_is_said(shown: LakeLocation, tmp_path: Path) -> None:
    with pytest.raises(UsedWrongly, match=r"^DP-Q003 prod shows nothing to query"):
        ask(shown, "prod", "select 1", 1)
    with pytest.raises(UsedWrongly, match=r"^DP-W001 There is no lake yet"):
        ask(_nowhere(tmp_path), "dev", "select 1", 1)


def test_a_question_is_answered_while_somebody_writes(shown: LakeLocation) -> None:
    with open_lake(shown) as lake, pytest.raises(RuntimeError, match="nothing"), lake.stage("dev", "orders") as staging:
        staging.replace("select 99 as id", [""])
        assert ask(shown, "dev", "select max(id) as n from orders", 1).rows == [{"n": 5}]
        raise RuntimeError("nothing of it stays")


def test_the_connection_behind_a_question_cannot_write(shown: LakeLocation) -> None:
    import duckdb

    with open_lake(shown, read_only=True) as lake:
        for statement in ("insert into lake.dev__build.orders values (1, true)", "create schema lake.x"):
            with pytest.raises(duckdb.Error, match="read-only"):
                lake.connection.execute(statement)
        with pytest.raises(duckdb.Error, match="read-only"):
            _write_as_the_platform_does(lake)


def _write_as_the_platform_does(lake: Lake) -> None:
    foreign_write.begin(lake, "dev", "dbt")


def _nowhere(tmp_path: Path) -> LakeLocation:
    return LakeLocation(f"sqlite:{tmp_path / 'none' / 'lake.sqlite'}", str(tmp_path / "none"), tmp_path / "none")
