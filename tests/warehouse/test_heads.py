"""A head's version reads back exactly its rows, whatever is written, flushed and merged later."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.manifests.manifest import Head
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from tests.fixtures import lakes

MAINTENANCE = (
    "call ducklake_flush_inlined_data('lake')",
    "call ducklake_merge_adjacent_files('lake')",
    "call ducklake_rewrite_data_files('lake', delete_threshold => 0)",
    "call ducklake_cleanup_old_files('lake', cleanup_all => true)",
)


def test_every_head_ever_made_reads_back_after_more_writes_and_maintenance(lake: Lake) -> None:
    chance, kept = random.Random(7), list[Head]()
    for generation in range(8):
        kept.append(lakes.write(lake, "whole", _some(chance.choice([3, 30]), generation)))
        parts = {chance.choice("abc"): chance.choice([3, 30]), "d": chance.choice([0, 2])}
        select = " union all ".join(
            f"select *, '{p}' as _dp_partition from ({_some(n, generation)})" for p, n in parts.items()
        )
        kept.append(lakes.write(lake, "parted", select, list(parts)))
        if generation in (4, 7):
            heads = lake.heads("dev")
            for statement in MAINTENANCE:
                lake.connection.execute(statement)
                assert lake.heads("dev") == heads, statement
            for head in kept:
                assert _reads_back(lake, head), (head.name, head.version)


def test_a_head_survives_that_its_table_is_dropped(lake: Lake) -> None:
    head = lakes.write(lake, "orders", "select 1 as id")
    lake.connection.execute("drop table lake.dev__build.orders")
    assert lakes.rows(lake, head) == [(1,)]
    lakes.write(lake, "orders", "select 'other' as name")
    assert lakes.rows(lake, head) == [(1,)]


def test_heads_are_those_of_the_environment_asked_for(lake: Lake) -> None:
    dev = lakes.write(lake, "orders", "select 1 as id")
    prod = lakes.write(lake, "orders", "select 2 as id", environment="prod")
    assert lake.heads("dev") == {"orders": dev}
    assert lake.heads("prod") == {"orders": prod}
    assert (lakes.rows(lake, dev), lakes.rows(lake, prod, "prod")) == ([(1,)], [(2,)])
    assert lake.heads("staging") == {}


def test_the_version_of_a_partitioned_head_holds_the_newest_of_each_partition(lake: Lake) -> None:
    for number, part in enumerate(["a", "b", "a", "c"]):
        lakes.write(lake, "orders", f"select {number} as id, '{part}' as _dp_partition", [part])
    head = lake.heads("dev")["orders"]
    assert lakes.rows(lake, head) == [(1, "b"), (2, "a"), (3, "c")]
    assert _reads_back(lake, head)


def test_partitions_written_before_the_table_was_whole_do_not_come_back(lake: Lake) -> None:
    lakes.write(lake, "orders", "select 1 as id, unnest(['a', 'b']) as _dp_partition", ["a", "b"])
    lakes.write(lake, "orders", "select 2 as id")
    head = lakes.write(lake, "orders", "select 3 as id, 'a' as _dp_partition", ["a"])
    assert list(head.partitions) == ["a"]
    assert lakes.rows(lake, head) == [(3, "a")]
    assert _reads_back(lake, head)


def test_a_manifest_is_found_by_its_id_and_its_absence_is_said(lake: Lake) -> None:
    first = lakes.write(lake, "orders", "select 1 as id").manifests[0]
    lakes.write(lake, "orders", "select 2 as id")
    assert lake.manifest(first.id) == first
    with pytest.raises(SystemFailed, match=r"^DP-W006 The lake keeps no manifest sha256:no"):
        lake.manifest("sha256:no")


def test_a_model_is_a_head_with_its_registrys_version(lake: Lake) -> None:
    for number in ("9", "10"):
        lake.record([replace(lakes.manifest("delay", f"sha256:{number}"), kind="model")], number)
    head = lake.heads("dev")["delay"]
    assert (head.kind, head.version, head.digest) == ("model", "10", "sha256:10")


def test_rows_of_users_never_go_through_the_catalog(lake: Lake) -> None:
    """The catalog keeps small inserts as text and loses quotes in it; the platform's own tables may live there."""
    lakes.write(lake, "orders", "select {'k': 'it''s'} as v")
    kept = lake.connection.execute("call ducklake_flush_inlined_data('lake')").fetchall()
    assert {schema for schema, *_ in kept} <= {"_dataops"}
    lake.connection.execute("create schema lake.by_dbt")
    lake.connection.execute("create table lake.by_dbt.mart as select {'k': 'it''s'} as v")
    assert lake.connection.execute("select v.k from lake.by_dbt.mart").fetchall() == [("it's",)]


def _some(count: int, generation: int) -> str:
    return f"select {generation} * 1000 + i as id, 'row ' || i as note from range({count}) t(i)"


def _reads_back(lake: Lake, head: Head) -> bool:
    found = digests(lake.connection, f"(from {lake.relation('dev', head)})", list(head.partitions))
    count = lake.connection.execute(f"select count(*) from {lake.relation('dev', head)}").fetchall()[0][0]
    same = all(str(found[part]) == manifest.digest for part, manifest in head.partitions.items())
    return same and count == sum(m.rows_audited for m in head.manifests)
