"""dbt commits its tables itself: what it made is adopted as a whole, or put back as a whole, also by the next run."""

from __future__ import annotations

from dataops_platform.manifests.manifest import Head
from dataops_platform.warehouse import foreign_write
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from tests.fixtures import lakes

DBT = "dbt marts"


def test_adopted_tables_are_heads_at_the_version_that_was_audited(lake: Lake) -> None:
    _adopt(lake, "select 1 as id")
    lake.connection.execute("create or replace table lake.dev__build.sales as select 2 as id")
    assert lakes.rows(lake, lake.heads("dev")["sales"]) == [(1,)]
    assert not foreign_write.is_unfinished(lake, "dev", DBT)


def test_an_unfinished_write_is_known_to_the_next_process_and_to_no_other_writer(lake: Lake) -> None:
    foreign_write.begin(lake, "dev", DBT)
    assert foreign_write.is_unfinished(lake, "dev", DBT)
    assert not foreign_write.is_unfinished(lake, "prod", DBT)
    assert not foreign_write.is_unfinished(lake, "dev", "dbt others")


def test_restore_puts_back_changed_and_dropped_tables_and_removes_new_ones(lake: Lake) -> None:
    _adopt(lake, "select 1 as id")
    kept = lakes.write(lake, "orders", "select 'ours' as v")
    foreign_write.begin(lake, "dev", DBT)
    foreign_write.begin(lake, "dev", DBT)
    lake.connection.execute("create or replace table lake.dev__build.sales as select 'wrong' as name")
    lake.connection.execute("create table lake.dev__build.fresh as select 1 as id")
    foreign_write.restore(lake, "dev", ["sales", "fresh", "never"], DBT)
    assert lake.connection.execute("from lake.dev__build.sales").fetchall() == [(1,)]
    assert not _exists(lake, "fresh")
    assert not foreign_write.is_unfinished(lake, "dev", DBT)
    lake.connection.execute("drop table lake.dev__build.sales")
    foreign_write.restore(lake, "dev", ["sales"], DBT)
    assert lake.connection.execute("from lake.dev__build.sales").fetchall() == [(1,)]
    assert lakes.rows(lake, kept) == [("ours",)]


def test_restore_twice_is_restore_once(lake: Lake) -> None:
    head = _adopt(lake, "select 1 as id")
    for _ in range(2):
        foreign_write.restore(lake, "dev", ["sales"], DBT)
    assert lake.heads("dev") == {"sales": head}
    assert lakes.rows(lake, head) == [(1,)]


def test_a_foreign_write_that_was_not_adopted_is_in_no_head_and_no_publication(lake: Lake) -> None:
    head = _adopt(lake, "select 1 as id")
    foreign_write.begin(lake, "dev", DBT)
    lake.connection.execute("insert into lake.dev__build.sales values (2)")
    lake.connection.execute("create table lake.dev__build.fresh as select 1 as id")
    lakes.show(lake, "sales")
    assert lake.heads("dev") == {"sales": head}
    assert foreign_write.digest_of(lake, "dev", "fresh") is None, "no step takes in what is half written"
    assert lakes.shown(lake, "sales") == [(1,)]


def _adopt(lake: Lake, select: str) -> Head:
    lake.create_schema("dev__build")
    foreign_write.begin(lake, "dev", DBT)
    lake.connection.execute(f"create or replace table lake.dev__build.sales as {select}")
    version = lake.current_version()
    found = digests(lake.connection, "lake.dev__build.sales", [""])
    foreign_write.adopt(lake, lakes.manifests_of("sales", found), version, DBT)
    return lake.heads("dev")["sales"]


def _exists(lake: Lake, table: str) -> bool:
    names = lake.connection.execute("select table_name from duckdb_tables() where database_name = 'lake'").fetchall()
    return (table,) in names
