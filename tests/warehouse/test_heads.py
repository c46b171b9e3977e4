"""A head's version reads back exactly its rows, whatever is written, flushed and merged later."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.manifests.manifest import Head
from dataops_platform.manifests.windows import plant
from dataops_platform.warehouse import heads
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.heads import heads_of_cut, read_manifests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.nodes import NODES
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


def days(number: int, first: int = 1) -> dict[str, str]:
    return {f"2030-01-{day:02}": f"select {day} as id" for day in range(first, first + number)}


def write_days(lake: Lake, found: dict[str, str], **about: Any) -> Head:
    select = " union all ".join(f"select *, '{key}' as _dp_partition from ({one})" for key, one in found.items())
    head: Head = lakes.write(lake, "days", select, list(found), **about)
    return head


def test_a_head_of_many_windows_is_kept_as_a_tree_that_grows_by_what_is_written(lake: Lake) -> None:
    first = write_days(lake, days(20))
    before = _nodes(lake)
    second = write_days(lake, days(1, 21))
    assert (first.windows.count, second.windows.count) == (20, 21)
    assert second.windows == plant(m.window for m in second.manifests).windows, "the tree follows from the windows"
    assert [m.partition for m in second.manifests] == list(days(21))
    assert len(_nodes(lake) - before) == 2, "a leaf, and the root"
    assert lake.windows_that_differ({"days": (first, second)}) == {"days": {"2030-01-21"}}


def test_what_was_read_of_many_windows_is_one_name_by_which_all_manifests_are_found(lake: Lake) -> None:
    source = write_days(lake, days(20))
    ref = source.ref()
    assert (ref.manifests, ref.node) == ((), source.windows.node)
    mart = lakes.write(lake, "mart", "select 1 as id", inputs=[ref])
    write_days(lake, days(20), run="another")
    assert {m.id for m in lake.manifests_of(mart.manifests[0].step.inputs[0])} == {m.id for m in source.manifests}
    assert mart.windows.lineage == ("days",)


def test_windows_that_two_wrote_side_by_side_are_both_there(lake: Lake) -> None:
    """No lock keeps two writers of one table apart on PostgreSQL; neither has seen the row of the other."""
    write_days(lake, days(2))
    area = heads.read(lake.connection, "dev")
    for key in ("2030-01-03", "2030-01-04"):
        with lake.transaction():
            made = lakes.manifest("days", "dp1:1:00000000000000000000000000000001", partition=key, rows=1)
            heads.insert(lake.connection, area, [made], None)
    both = lake.heads("dev")["days"]
    assert [m.partition for m in both.manifests] == list(days(4))
    cut = lake.cut_of([both])
    assert [m.partition for m in heads_of_cut(lake.connection, cut)["days"].manifests] == list(days(4))
    third = write_days(lake, days(1, 5))
    assert [m.partition for m in third.manifests] == list(days(5))
    assert third.windows == plant(m.window for m in third.manifests).windows


def test_a_lost_node_is_said_and_not_taken_for_an_empty_table(lake: Lake) -> None:
    write_days(lake, days(20))
    head = lake.heads("dev")["days"]
    lake.connection.execute(f"delete from {NODES} where id = '{head.windows.node}'")
    with pytest.raises(SystemFailed, match=r"^DP-W014 The lake has lost or changed sha256:"):
        list(head.manifests)


def _nodes(lake: Lake) -> set[str]:
    return {name for (name,) in lake.connection.execute(f"select id from {NODES}").fetchall()}


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
    assert read_manifests(lake.connection, [first.id]) == {first.id: first}
    with pytest.raises(SystemFailed, match=r"^DP-W006 The lake has no manifest sha256:no"):
        read_manifests(lake.connection, ["sha256:no"])


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
