"""What no kept state needs is given up, and every kept state comes back with the same digests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.events import Move, Promotion, Publication, Rollback
from dataops_platform.manifests.history import collection_of, moves
from dataops_platform.release.audit.verify import verify
from dataops_platform.release.promotion.switch import roll_back
from dataops_platform.release.retention import garbage as collecting
from dataops_platform.release.retention.garbage import collect, look
from dataops_platform.release.retention.policy import Needed, Retention, kept_states, retention_of
from dataops_platform.warehouse import expiry
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.expiry import snapshots
from dataops_platform.warehouse.heads import heads_of_cut
from dataops_platform.warehouse.nodes import NODES
from dataops_platform.warehouse.open import open_lake
from dataops_platform.warehouse.staging import put_table
from tests.fixtures import lakes

pytestmark = pytest.mark.journey

LAST_TWO = Retention(releases=2, days=0)


def files_of(shop: Any) -> set[str]:
    folder = Path(shop.project.root) / "data"
    return {path.name for path in folder.rglob("*.parquet")}


def disturb(shop: Any) -> None:
    """What people and other tools do to a lake: checkpoint, merge, rewrite, flush, a table swapped by a rename."""
    connection = shop.lake.connection
    connection.execute("call ducklake_flush_inlined_data('lake')")
    connection.execute("call ducklake_merge_adjacent_files('lake')")
    connection.execute("call ducklake_rewrite_data_files('lake', delete_threshold => 0)")
    connection.execute("checkpoint lake")
    put_table(connection, "dev__build", "orders", "select day, id, 'more' as more from lake.dev__build.orders")
    connection.execute("alter table lake.dev__build.totals rename to totals_before")


def test_gc_frees_files_and_every_kept_state_comes_back_with_the_same_digests(shop: Any) -> None:
    for number in range(1, 7):
        shop.day(number, release=f"release {number}")
    disturb(shop)
    assert shop.views("prod") == shop.shown["prod", 6]
    there, on_disk = snapshots(shop.lake.connection), files_of(shop)

    waste = look(shop.session(), LAST_TWO)
    assert (snapshots(shop.lake.connection), files_of(shop)) == (there, on_disk), "a look changes nothing"
    assert waste.kept == {"dev": 2, "prod": 2}
    assert waste.states == {"dev": (1, 2, 3, 4), "prod": (1, 2, 3, 4)}

    done = collect(shop.session(), LAST_TWO)
    gone = on_disk - files_of(shop)
    print(f"\n{len(done.snapshots)} snapshots, {len(gone)} of {len(on_disk)} files, {done.files.size_bytes} bytes")
    assert (done.snapshots, done.states) == (waste.snapshots, waste.states)
    assert len(gone) == done.files.count >= 9
    assert done.files.size_bytes > 0
    assert not snapshots(shop.lake.connection) & set(done.snapshots)

    for environment in ("dev", "prod"):
        for sequence in (5, 6, 5):
            roll_back(shop.session(environment), str(sequence))
            assert shop.views(environment) == shop.shown[environment, sequence]
        code = {"dev": "DP-L091", "prod": "DP-L060"}[environment]  # a release describes what prod showed
        for sequence in (1, 2, 3, 4):
            with pytest.raises(Refused, match=f"{code} The state of event {sequence} ") as refused:
                roll_back(shop.session(environment), str(sequence))
            assert "2030-01-07" in str(refused.value)
            assert shop.views(environment) == shop.shown[environment, 5]
        events = shop.lake.events(environment)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert all(collection_of(events, sequence) for sequence in (1, 2, 3, 4))
    faults = [fault.what for one in verify(shop.lake) for fault in one.faults]
    assert [what for what in faults if "is not kept any more" not in what] == [], "these releases were never built"

    again = collect(shop.session(), LAST_TWO)
    assert (again.files.count, again.states) == (0, {}), "there is nothing more to free"
    shop.lake.connection.execute("alter table lake.dev__build.totals_before rename to totals")
    assert shop.day(7, release="release 7").sequence > 6, "the shop goes on"


def test_nodes_that_no_kept_state_needs_are_deleted_and_all_others_stay(shop: Any, lake: Any) -> None:
    def publish(number: int) -> None:
        """Writes one day of many again, and shows it."""
        keys = [f"2030-01-{day:02}" for day in range(1, 21)] if number == 1 else ["2030-01-07"]
        select = " union all ".join(f"select {number} as id, '{key}' as _dp_partition" for key in keys)
        lakes.write(lake, "days", select, keys)
        shop.today += timedelta(days=1)
        lake.switch("dev", lake.cut_of(lake.heads("dev").values()), lake.state("dev"), Publication(actor="ann"))

    for number in range(1, 6):
        publish(number)
    reader = lakes.write(lake, "reader", "select 1 as id", inputs=[lake.heads("dev")["days"].ref()])
    publish(6)
    last_two = [event for event in moves(lake.events("dev")) if event.sequence >= 5]
    before = nodes_of(lake)
    waste = look(shop.session(), LAST_TWO)
    assert nodes_of(lake) == before, "looking changes nothing"
    assert collect(shop.session(), LAST_TWO).nodes == waste.nodes == before - nodes_of(lake)
    assert len(waste.nodes) == 4 * 2, "of the states that were given up: a leaf and a root each"
    for event in last_two:
        found = heads_of_cut(lake.connection, lake.cut(event))["days"]
        assert len({m.partition for m in found.manifests}) == 20
    assert len(lake.manifests_of(reader.manifests[0].step.inputs[0])) == 20, "also what a manifest read"
    assert [fault for one in verify(lake) for fault in one.faults] == [], "cuts stay with the events that name them"
    assert collect(shop.session(), LAST_TWO).nodes == frozenset()


def nodes_of(lake: Any) -> set[str]:
    return {name for (name,) in lake.connection.execute(f"select id from {NODES}").fetchall()}


def test_the_heads_of_partitions_survive(shop: Any, lake: Any) -> None:
    for number in range(1, 4):
        shop.day(number)
    collect(shop.session(), Retention(releases=1, days=0))
    head = lake.heads("dev")["lines"]
    assert {part: m.digest.split(":")[1] for part, m in head.partitions.items()} == {"a": "2000", "b": "2000"}
    rows = lake.connection.execute(
        f"select _dp_partition, day, count(*) from {lake.relation('dev', head)} group by all order by 1"
    ).fetchall()
    assert rows == [("a", 2, 2000), ("b", 3, 2000)]


def test_what_any_view_is_pinned_to_stays(shop: Any, lake: Any) -> None:
    shop.day(1)
    version = lake.heads("dev")["orders"].version
    lake.connection.execute(f"create view lake.dev.of_mine as from lake.dev__build.orders at (version => {version})")
    for number in (2, 3):
        shop.day(number)
    done = collect(shop.session(), Retention(releases=1, days=0))
    assert int(version) not in done.snapshots
    assert lake.connection.execute("select distinct day from lake.dev.of_mine").fetchall() == [(1,)]


@pytest.mark.parametrize("wrong", [Needed(frozenset(), frozenset())])
def test_a_wrong_idea_of_what_is_needed_is_caught_before_anything_is_given_up(
    shop: Any, lake: Any, wrong: Needed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        shop.day(number, release=f"release {number}")
    monkeypatch.setattr(collecting, "needed_by", lambda *_: wrong)
    there, before = snapshots(lake.connection), lake.events("prod")
    with pytest.raises(Refused, match="DP-L063"):
        collect(shop.session(), Retention())
    assert (snapshots(lake.connection), lake.events("prod")) == (there, before)
    assert shop.views("prod") == shop.shown["prod", 2]


def test_an_environment_that_moves_meanwhile_is_looked_at_again(
    shop: Any, lake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        shop.day(number, release=f"release {number}")
    looked = collecting._look
    moved = []

    def look_and_move(*arguments: Any) -> Any:
        found = looked(*arguments)
        if not moved:
            moved.append(roll_back(shop.session(), "1"))
        return found

    monkeypatch.setattr(collecting, "_look", look_and_move)
    collect(shop.session(), Retention(releases=1, days=0))
    assert shop.views("prod") == shop.shown["prod", 1]


def test_whoever_points_at_a_version_while_it_is_given_up_wins(
    shop: Any, lake: Any, location: LakeLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite there is one writer at a time; on PostgreSQL the one who commits first wins."""
    if location.sqlite_path:
        pytest.skip("a SQLite catalog has one writer at a time")
    for number in (1, 2, 3):
        shop.day(number, release=f"release {number}")
    expire, moved = expiry.expire, []

    def expire_late(connection: Any, versions: Any) -> None:
        expire(connection, versions)
        if not moved:
            with open_lake(location) as other:
                moved.append(roll_back(replace(shop.session(), lake=other), "1"))

    monkeypatch.setattr(expiry, "expire", expire_late)
    done = collect(shop.session(), Retention(releases=1, days=0))
    assert moved
    assert shop.views("prod") == shop.shown["prod", 1]
    assert 1 not in done.states.get("prod", ())


def test_what_was_read_a_moment_ago_is_not_taken_away(shop: Any, lake: Any) -> None:
    for number in (1, 2):
        shop.day(number)
    first = lakes.write(lake, "orders", "select 3 as day, 1 as id")
    with lake.stage("dev", "orders") as staging:
        (found,) = staging.replace("select 4 as day, 1 as id", [""]).values()
        made = lakes.manifest("orders", found)
        staging.record([type(made)(**{**made.__dict__, "recorded_at": shop.now().isoformat()})])
    done = collect(shop.session(), Retention(releases=1, days=0))
    assert int(first.version) not in done.snapshots


def event(sequence: int, at: str, kind: str = "promotion", release: str = "", to: int = 0) -> Move:
    placed: dict[str, Any] = {"sequence": sequence, "release": release, "at": at, "publication": f"p{sequence}"}
    if kind == "publication":
        return Publication(actor="ann", **placed)
    if kind == "rollback":
        return Rollback(actor="ann", to=to, back="to", before="", **placed)
    return Promotion(actor="ann", plan="", plan_document="", gates=(), **placed)


def test_releases_are_counted_back_along_the_lineage_and_days_along_the_calendar() -> None:
    events = [
        event(1, "2030-01-01", release="a"),
        event(2, "2030-02-01", "publication", release="a"),
        event(3, "2030-03-01", release="b"),
        event(4, "2030-04-01", release="c"),
        event(5, "2030-05-01", "rollback", release="a", to=2),
        event(6, "2030-06-01", "publication", release="a"),
        event(7, "2030-07-01", release="d"),
    ]
    now = datetime(2030, 8, 1, tzinfo=UTC)

    def kept(releases: int, days: int) -> list[int]:
        return [e.sequence for e in kept_states(events, Retention(releases, days), now)]

    assert kept(1, 0) == [7]
    assert kept(2, 0) == [1, 2, 6, 7], "b and c were taken back: they are no way to return"
    assert kept(1, 45) == [6, 7], "6 was shown until July"
    assert kept(1, 100) == [4, 5, 6, 7]
    assert kept(9, 9999) == [1, 2, 3, 4, 5, 6, 7]
    assert [m.sequence for m in moves(events)] == [1, 2, 3, 4, 5, 6, 7]


def test_publications_under_no_release_count_one_by_one() -> None:
    events = [event(n, f"2030-01-0{n}", "publication") for n in range(1, 8)]
    kept = kept_states(events, Retention(3, 0), datetime(2031, 1, 1, tzinfo=UTC))
    assert [e.sequence for e in kept] == [5, 6, 7]


def test_only_what_was_said_counts() -> None:
    assert retention_of(None, None) == Retention(10, 90)
    assert retention_of(3, None) == Retention(3, 0)
    assert retention_of(None, 30, inputs=True) == Retention(1, 30, True)
    with pytest.raises(UsedWrongly, match="DP-L061"):
        retention_of(0, None)


def test_inputs_stay_where_it_is_asked_for(shop: Any, lake: Any) -> None:
    raw = lakes.write(lake, "raw_orders", "select 1 as id")
    raw = replace(raw.manifests[0], stage="extract")
    lake.record([raw], (version := lake.heads("dev")["raw_orders"].version))
    with lake.stage("dev", "clean") as staging:
        (found,) = staging.replace("select 1 as id", [""]).values()
        made = lakes.manifest("clean", found, inputs=[lake.heads("dev")["raw_orders"].ref()])
        staging.record([made])
    lake.switch("dev", cut_of([lake.heads("dev")["clean"]]), lake.state("dev"), Publication(actor="ann"))
    lakes.write(lake, "raw_orders", "select 2 as id")
    shop.today += timedelta(days=1)
    asked = look(shop.session(), Retention(1, 0, inputs=True))
    usual = look(shop.session(), Retention(1, 0))
    assert int(version) not in asked.snapshots
    assert int(version) in usual.snapshots
    assert lake.state("dev").publication


def test_the_command_looks_first_and_does_it_when_told(dataops: Any, published: Path) -> None:
    looked = dataops("gc", "--json").json
    assert (looked["done"], looked["states"]) == (False, {})
    assert looked["snapshots"] > 0
    assert "nothing was changed; to do it: add --yes" in dataops("gc").text
    done = dataops("gc", "--yes", "--json").json
    assert (done["done"], done["snapshots"]) == (True, looked["snapshots"])
    assert dataops("sql", "select count(*) as rows from orders", "--json").json == [{"rows": 6}]
    assert dataops("ledger", "verify").exit_code == 0
    assert (dataops("run").exit_code, dataops("gc", "--keep", "0").exit_code) == (0, 2)
