"""One switch shows a whole cut; the ledger says which, and every earlier one, for good."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from dataops_platform.kit.digests import digest_of_bytes
from dataops_platform.kit.errors import LostRace
from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.events import Duplicate, Publication, read_event
from dataops_platform.warehouse.lake import Lake
from tests.fixtures import lakes


def test_before_the_first_publication_there_is_an_empty_state(lake: Lake) -> None:
    state = lake.state("dev")
    assert (state.sequence, state.hash, state.publication, state.cut.members) == (0, "", "", ())
    assert lake.events("dev") == []


def test_what_is_shown_stays_as_published_through_writes_drops_and_maintenance(lake: Lake) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    lakes.write(lake, "lines", "select 10 + i as id, 'p' as _dp_partition from range(3) t(i)", ["p"])
    state = lakes.show(lake, "orders", "lines")
    lakes.write(lake, "orders", "select 'new' as other")
    lakes.write(lake, "lines", "select 20 as id, 'p' as _dp_partition", ["p"])
    lake.connection.execute("drop table lake.dev__build.orders")
    for statement in ("ducklake_flush_inlined_data('lake')", "ducklake_merge_adjacent_files('lake')"):
        lake.connection.execute(f"call {statement}")
    assert lakes.shown(lake, "orders") == [(1,)]
    assert lakes.shown(lake, "lines") == [(10,), (11,), (12,)], "and no bookkeeping columns"
    assert lake.state("dev") == state


def test_a_view_goes_when_its_table_leaves_the_cut(lake: Lake) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    lakes.write(lake, "lines", "select 2 as id")
    lakes.show(lake, "orders", "lines")
    assert _views(lake) == ["lines", "orders"]
    lakes.show(lake, "orders")
    assert _views(lake) == ["orders"]
    lakes.show(lake, "lines")
    assert _views(lake) == ["lines"]


def test_a_stale_expectation_is_refused_and_changes_nothing(lake: Lake) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    nothing = lake.state("dev")
    first = lakes.show(lake, "orders")
    lakes.write(lake, "orders", "select 2 as id")
    lakes.write(lake, "lines", "select 2 as id")
    second = lakes.show(lake, "orders")
    lake.note("dev", Duplicate(actor="ann"))
    for expected in (nothing, first, second):  # a note moves nothing, and yet something happened since
        with pytest.raises(LostRace, match=r"^DP-W004 dev switched to publication \w{12}"):
            lakes.show(lake, "orders", "lines", expected=expected)
    assert (lakes.shown(lake, "orders"), _views(lake)) == ([(2,)], ["orders"])
    assert [event.sequence for event in lake.events("dev")] == [1, 2, 3]
    assert lake.state("dev").sequence == 3


def test_a_switch_that_fails_half_way_changes_nothing(lake: Lake) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    before = lakes.show(lake, "orders")
    lakes.write(lake, "orders", "select 2 as id")
    lakes.write(lake, "zebra", "select 1 as id")
    cut = cut_of(lake.heads("dev").values())
    broken = replace(cut, members=(cut.members[0], replace(cut.members[1], version="999999")))
    with pytest.raises(duckdb.Error):
        lake.switch("dev", broken, before, Publication(actor="ann"))
    assert lake.state("dev") == before
    assert (lakes.shown(lake, "orders"), _views(lake), len(lake.events("dev"))) == ([(1,)], ["orders"], 1)


def test_environments_do_not_see_one_another(lake: Lake) -> None:
    for number, environment in enumerate(["dev", "prod"]):
        lakes.write(lake, "orders", f"select {number} as id", environment=environment)
        lake.switch(
            environment,
            cut_of(lake.heads(environment).values()),
            lake.state(environment),
            Publication(actor="ann"),
        )
    assert (lakes.shown(lake, "orders"), lakes.shown(lake, "orders", "prod")) == ([(0,)], [(1,)])
    assert [lake.state(e).event.environment for e in ("dev", "prod")] == ["dev", "prod"]
    assert [len(lake.events(e)) for e in ("dev", "prod", "staging")] == [1, 1, 0]


def test_the_ledger_is_a_chain_whose_hashes_verify(lake: Lake) -> None:
    for number in range(3):
        lakes.write(lake, "orders", f"select {number} as id")
        lakes.show(lake, "orders")
    rows = lake.connection.execute("select sequence, hash, body from lake._dataops.ledger order by 1").fetchall()
    previous = ""
    for number, (sequence, event_hash, body) in enumerate(rows, 1):
        event = read_event(body)
        assert (sequence, event.sequence, event.previous) == (number, number, previous)
        assert digest_of_bytes(body.encode()) == event_hash
        previous = event_hash
    state = lake.state("dev")
    assert (state.sequence, state.hash, state.event) == (3, previous, lake.events("dev")[-1])


def test_an_event_carries_the_whole_cut_and_its_publication(lake: Lake) -> None:
    head = lakes.write(lake, "orders", "select 1 as id, unnest(['a', 'b']) as _dp_partition", ["a", "b"])
    cut = cut_of([head])
    state = lakes.show(lake, "orders")
    assert (state.publication, state.cut) == (cut.id, cut)
    assert lake.state("dev") == state
    assert isinstance(state.event, Publication)
    assert (state.event.tables, state.event.models, lake.cut(state.event)) == (1, 0, cut)
    assert state.cut.members[0].windows.count == 2


def test_a_cut_is_named_by_contents_not_by_versions_runs_or_times(lake: Lake) -> None:
    first = cut_of([lakes.write(lake, "orders", "select 1 as id", run="one")])
    again = cut_of([lakes.write(lake, "orders", "select 1.0 as id", run="two")])
    other = cut_of([lakes.write(lake, "orders", "select 1 as id", contract="other")])
    assert first.id == again.id
    assert first.members[0].version != again.members[0].version
    assert other.id != first.id


def test_a_name_may_hold_any_character(lake: Lake) -> None:
    name = 'odd "name"; drop schema x --\''
    head = lakes.write(lake, name, 'select 1 as "it\'s; """')
    lakes.show(lake, name)
    assert lakes.shown(lake, name) == lakes.rows(lake, head) == [(1,)]


def _views(lake: Lake) -> list[str]:
    found = lake.connection.execute(
        "select view_name from duckdb_views() where database_name = 'lake' and schema_name = 'dev' order by 1"
    ).fetchall()
    return [name for (name,) in found]
