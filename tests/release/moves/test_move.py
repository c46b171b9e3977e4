"""An environment moves to a release and back, and stays where it was brought; what it builds then starts from there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from dataops_platform.kit.clock import utc_now
from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly
from dataops_platform.manifests.events import Creation, Duplicate, Publication
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.release.promotion import switch
from dataops_platform.release.promotion.switch import resume, roll_back, switch_to_release
from dataops_platform.stages.inputs import EXTERNAL, heads_with
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse import documents, foreign_write
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.open import open_lake
from tests.fixtures import lakes
from tests.fixtures.lakes import ANN
from tests.fixtures.shop import Shop
from tests.fixtures.shop import manifest as shop_manifest


def kinds(shop: Shop, environment: str = "prod") -> list[str]:
    return [event.kind for event in shop.lake.events(environment)]


def shows(shop: Shop) -> tuple[str, str, list[tuple[int, ...]], bool]:
    state = shop.lake.state("prod")
    return state.release, state.code, shop.rows("prod", "orders"), state.held


def test_a_promotion_shows_the_rows_of_dev_without_copying_them_and_a_rollback_brings_all_back(shop: Shop) -> None:
    first, second, _ = shop.releases
    shop.promote(first)
    before = shows(shop)
    shop.promote(second)
    assert shows(shop) == (second.id, second.code, [(2,)], False)
    assert {m.area for m in shop.lake.state("prod").cut.members} == {"dev"}
    roll_back(shop.session())
    assert shows(shop) == (*before[:3], True)


def test_a_rollback_that_is_run_again_after_a_crash_does_not_go_back_twice(shop: Shop) -> None:
    releases = shop.releases
    for release in releases:
        shop.promote(release)
    first, again = roll_back(shop.session()), roll_back(shop.session())
    assert (again, again.release) == (first, releases[1].id)
    assert kinds(shop) == ["promotion"] * 3 + ["rollback"]
    assert roll_back(shop.session(), str(first.event.to)) == first, "this is where it is"
    assert roll_back(shop.session(), "1").release == releases[0].id, "further back, where it is said"


def test_after_the_data_was_rolled_back_the_release_can_be_and_after_a_resume_again(shop: Shop) -> None:
    first, second, _ = shop.releases
    shop.promote(first)
    shop.promote(second)
    shop.build("prod", 3)
    shop.write_code("number = 2")
    shop.publish("prod")
    assert (shows(shop)[0], shop.rows("prod", "orders")) == (second.id, [(3,)])
    for _ in range(2):
        roll_back(shop.session(), data=True)
        assert shows(shop) == (second.id, second.code, [(2,)], True)
    roll_back(shop.session())
    assert shows(shop) == (first.id, first.code, [(1,)], True)
    resume(shop.session())
    with pytest.raises(UsedWrongly, match="DP-L075 prod showed no release before this one"):
        roll_back(shop.session())


def test_a_promotion_of_just_what_is_shown_moves_nothing(shop: Shop) -> None:
    release, *_ = shop.releases
    first = shop.promote(release)
    assert shop.promote(release) == first
    shop.build("prod", 5)
    shop.write_code("number = 1")
    shop.publish("prod")
    shop.promote(release)
    assert (kinds(shop), shop.rows("prod", "orders")) == (["promotion", "publication", "promotion"], [(1,)])


def test_a_promotion_of_the_release_it_was_rolled_back_to_lets_it_go_again(shop: Shop) -> None:
    first, second, _ = shop.releases
    shop.promote(first)
    shop.promote(second)
    roll_back(shop.session())
    assert shop.promote(first).held is False
    assert kinds(shop) == ["promotion", "promotion", "rollback", "promotion"]


def test_the_second_to_carry_out_a_plan_is_told_who_did(shop: Shop) -> None:
    first, *_ = shop.releases
    plan = shop.plan(first)
    switch_to_release(shop.session(), plan, first)
    said = r"^DP-L074 \w+ carried out this plan first: promotion of release \w{12} to prod\. Event 1"
    with pytest.raises(LostRace, match=said):
        switch_to_release(shop.session(), plan, first)


def test_a_publication_that_comes_meanwhile_is_no_obstacle_to_a_plan(shop: Shop) -> None:
    first, second, _ = shop.releases
    shop.promote(first)
    plan = shop.plan(second)
    shop.build("prod", 7)
    shop.write_code("number = 1")
    shop.publish("prod")
    assert switch_to_release(shop.session(), plan, second).release == second.id


def test_a_resume_that_was_meant_for_an_earlier_rollback_does_not_let_go_of_a_later_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases = shop.releases
    for release in releases:
        shop.promote(release)
    roll_back(shop.session())
    note = shop.lake.note

    def with_a_rollback_first(*arguments: Any) -> Any:
        monkeypatch.setattr(shop.lake, "note", note)
        roll_back(shop.session(), "1")
        return note(*arguments)

    monkeypatch.setattr(shop.lake, "note", with_a_rollback_first)
    with pytest.raises(LostRace, match=r"^DP-L010 \w+ came first: rollback"):
        resume(shop.session())
    assert (shop.lake.state("prod").held, kinds(shop)[-1]) == (True, "rollback")


def test_two_who_resume_at_once_leave_one_event(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for release in shop.releases[:2]:
        shop.promote(release)
    roll_back(shop.session())
    note = shop.lake.note

    def with_a_rival_first(*arguments: Any) -> Any:
        monkeypatch.setattr(shop.lake, "note", note)
        resume(shop.session())
        return note(*arguments)

    monkeypatch.setattr(shop.lake, "note", with_a_rival_first)
    with pytest.raises(UsedWrongly, match="DP-L012 prod is not held"):
        resume(shop.session())
    assert kinds(shop)[-2:] == ["rollback", "resume"]


def test_the_beginning_of_an_id_that_two_states_share_is_refused() -> None:
    shown = [("a1", "b1"), ("a2", "b2"), ("a2", "b3"), ("2c", "d0"), ("990000c", "f")]
    events = [
        Publication(actor="ann", sequence=n, release=f"sha256:{release}", publication=f"sha256:{publication}")
        for n, (release, publication) in enumerate(shown, 1)
    ]
    named = partial(switch._named, events, environment="prod")
    assert [named(to).sequence for to in ("a1", "a2", "sha256:b2", "b3", "2", "2c", "d")] == [1, 3, 2, 3, 2, 4, 4]
    assert [named(to).sequence for to in ("990000", "sha256:99")] == [5, 5]
    with pytest.raises(UsedWrongly, match=r"^DP-L077 'a' matches several states: a1, a2\. Write more of the id"):
        named("a")
    for unknown in ("sha256:", "e", "6", "99"):  # 99 is a mistyped event rather than the release that begins so
        with pytest.raises(UsedWrongly, match="DP-L011 prod never showed"):
            named(unknown)


def test_partitions_written_after_a_promotion_stand_beside_those_that_were_given(new_shop: Shop) -> None:
    new_shop.write("dev", "orders", 1, ["a", "b"])
    new_shop.write("prod", "orders", 7, ["a", "b", "z"])
    release = release_of(new_shop, "orders")
    new_shop.promote(release)
    assert new_shop.built("prod", "orders") == [(1, "a"), (1, "b")]
    new_shop.write("prod", "orders", 2, ["b"])
    assert new_shop.built("prod", "orders") == [(1, "a"), (2, "b")]
    new_shop.write("prod", "orders", 3, ["c"])
    assert new_shop.built("prod", "orders") == [(1, "a"), (2, "b"), (3, "c")]
    assert new_shop.built("dev", "orders") == [(1, "a"), (1, "b")]
    new_shop.write("dev", "orders", 4, ["b"])
    new_shop.promote(release_of(new_shop, "orders"))
    assert new_shop.built("prod", "orders") == [(1, "a"), (4, "b")]
    new_shop.write("prod", "orders", 5, ["a"])
    assert new_shop.built("prod", "orders") == [(4, "b"), (5, "a")]


def test_after_a_rollback_partitions_start_from_the_rows_of_then(new_shop: Shop) -> None:
    for number in (1, 2):
        new_shop.write("dev", "orders", number, ["a", "b"])
        new_shop.promote(release_of(new_shop, "orders", code=str(number)))
        new_shop.write("prod", "orders", number * 10, ["b"])
    roll_back(new_shop.session(), "1")
    new_shop.write("prod", "orders", 5, ["a"])
    assert new_shop.built("prod", "orders") == [(1, "b"), (5, "a")]


def test_a_table_that_the_release_does_not_have_starts_empty_after_a_promotion(shop: Shop) -> None:
    """Its rows of before are no head any more; a head that says one partition must not hold the rows of two."""
    shop.write("prod", "raw", 1, ["a", "b"])
    shop.promote(shop.releases[0])
    assert "raw" not in shop.lake.heads("prod")
    shop.write("prod", "raw", 2, ["a"])
    assert shop.built("prod", "raw") == [(2, "a")]


def test_a_table_of_the_time_before_a_promotion_is_not_taken_for_one_that_another_program_wrote(shop: Shop) -> None:
    shop.write("prod", "raw", 1)
    shop.lake.connection.execute("create table lake.prod__build.theirs as select 1 as number")
    shop.promote(shop.releases[0])
    found = heads_with(shop.lake, shop.at("prod"), ["raw", "theirs"], RunContext("run", ANN, utc_now))
    assert "raw" not in found
    assert found["theirs"].manifests[0].stage == EXTERNAL


def test_what_was_begun_before_a_promotion_does_not_become_a_head_after_it(shop: Shop) -> None:
    first, second, _ = shop.releases
    shop.promote(first)
    state = shop.lake.state("prod")
    model = lakes.manifest("delay", "sha256:1", environment="prod")
    with shop.lake.bound_to(state):
        shop.write("prod", "orders", 8)
        shop.promote(second)
        for write in (
            lambda: shop.write("prod", "orders", 9),
            lambda: shop.lake.record([model], "1"),
            lambda: foreign_write.adopt(shop.lake, [model], "1", "dbt"),
        ):
            with pytest.raises(LostRace, match=r"^DP-W012 prod was pointed at another state \(event 2\) while"):
                write()
    assert shop.built("prod", "orders") == [(2,)]
    shop.write("prod", "orders", 9)
    assert shop.built("prod", "orders") == [(9,)]


def test_a_write_that_commits_after_a_promotion_it_did_not_see_is_no_head(
    new_shop: Shop, location: LakeLocation
) -> None:
    """On PostgreSQL writers run side by side; told by the order of commits, the old code's rows stood as new ones."""
    if location.sqlite_path is not None:
        pytest.skip("a SQLite catalog has one writer at a time")
    new_shop.write("prod", "orders", 1, ["a", "b"])
    new_shop.write("dev", "orders", 2, ["a", "b"])
    release = release_of(new_shop, "orders")
    with open_lake(location) as other, pytest.raises(LostRace, match="DP-W012"):
        slow = type(new_shop)(other, new_shop.root)
        with slow.lake.stage("prod", "orders") as staging:
            found = staging.replace("select 9 as number, 'a' as _dp_partition", ["a"])
            staging.record([manifest_of(part, digest) for part, digest in found.items()])
            new_shop.promote(release)
    assert new_shop.built("prod", "orders") == [(2, "a"), (2, "b")]
    new_shop.write("prod", "orders", 3, ["b"])
    assert new_shop.built("prod", "orders") == [(2, "a"), (3, "b")]


def test_dbt_finds_given_tables_in_the_build_area_and_they_are_put_back_when_it_fails(shop: Shop) -> None:
    first, second, _ = shop.releases
    shop.promote(first)
    run_dbt(shop, "bad", restored=True)
    assert (shop.built("prod", "orders"), in_area(shop, "orders"), in_area(shop, "sales")) == (
        [(1,)],
        [(1,)],
        [(10,)],
    )
    run_dbt(shop, "good", restored=False)
    assert (in_area(shop, "sales"), shop.built("prod", "sales")) == ([("good",)], [("good",)])
    own = shop.lake.heads("prod")["sales"]
    shop.promote(second)
    foreign_write.stand_in(shop.lake, "prod", ["orders", "sales"])
    assert (in_area(shop, "orders"), in_area(shop, "sales")) == ([(2,)], [(20,)])
    assert shop.lake.connection.execute(f"from {shop.lake.relation('prod', own)}").fetchall() == [("good",)]


def test_dbt_finds_the_environments_own_older_version_after_a_rollback(shop: Shop) -> None:
    first, second, _ = shop.releases
    shop.promote(first)
    shop.build("prod", 5)
    shop.write_code("number = 1")
    shop.publish("prod")
    shop.promote(second)
    roll_back(shop.session())
    assert shop.lake.state("prod").cut.members[0].area == "prod"
    foreign_write.stand_in(shop.lake, "prod", ["orders", "sales"])
    assert (in_area(shop, "orders"), in_area(shop, "sales")) == ([(5,)], [(50,)])
    run_dbt(shop, "bad", restored=True)
    assert (in_area(shop, "sales"), shop.built("prod", "sales")) == ([(50,)], [(50,)])
    assert shop.rows("prod", "sales") == [(50,)]


def test_an_environment_made_from_another_starts_with_what_that_shows(shop: Shop) -> None:
    shop.promote(shop.releases[0])
    prod = shop.lake.state("prod")
    event = Creation(actor="ann", release=prod.release, code=prod.code, origin="prod")
    made = shop.lake.switch("pr_12", prod.cut, shop.lake.state("pr_12"), event)
    assert (made.pointer, made.release, shop.rows("pr_12", "orders")) == (1, prod.release, [(1,)])
    assert shop.built("pr_12", "orders") == [(1,)]
    shop.write("pr_12", "orders", 3)
    assert (shop.built("pr_12", "orders"), shop.built("prod", "orders")) == ([(3,)], [(1,)])


def test_nothing_is_published_while_held_and_the_reason_is_said(shop: Shop) -> None:
    for release in shop.releases[:2]:
        shop.promote(release)
    roll_back(shop.session())
    shop.write_code("number = 1")
    with pytest.raises(Refused, match="DP-P103"):
        shop.publish("prod")
    resume(shop.session())
    assert shop.publish("prod")[1] is False


def test_a_release_and_the_event_that_it_was_built_are_kept_together_or_not_at_all(
    new_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_shop.build("dev", 1)
    new_shop.publish("dev")
    with monkeypatch.context() as broken:
        broken.setattr("dataops_platform.warehouse.ledger.append", failing)
        with pytest.raises(OSError, match="disk full"):
            release_of(new_shop, "orders")
    kept = partial(documents.read, new_shop.lake.connection, "release")
    assert (kept(), kinds(new_shop, "dev")) == ({}, ["publication"])
    built = release_of(new_shop, "orders")
    release_of(new_shop, "orders")
    assert (list(kept()), kinds(new_shop, "dev")) == ([built.id], ["publication", "build"])


def test_a_move_that_loses_its_race_to_publications_tries_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, _ = shop.releases
    shop.promote(first)
    move, rivals = shop.lake.switch, iter(range(3))

    def with_publications_first(*arguments: Any) -> Any:
        if next(rivals, None) is not None:
            shop.lake.note("prod", Duplicate(actor="ann"))
        return move(*arguments)

    monkeypatch.setattr(shop.lake, "switch", with_publications_first)
    assert shop.promote(second).sequence == 5
    monkeypatch.setattr(switch, "ATTEMPTS", 2)
    rivals = iter(range(9))
    with pytest.raises(Refused, match="DP-L013 prod changed 2 times during this command"):
        roll_back(shop.session())


def release_of(released: Shop, *names: str, code: str = "") -> Any:
    from dataops_platform.manifests.cut import cut_of
    from dataops_platform.release.build import freeze

    released.write_code(code)
    heads = released.lake.heads("dev")
    return freeze(released.session("dev"), cut_of([heads[name] for name in names]))


def run_dbt(released: Shop, said: str, *, restored: bool) -> None:
    """Writes `sales` as dbt does, and adopts it or puts it back."""
    lake = released.lake
    foreign_write.stand_in(lake, "prod", ["orders", "sales"])
    foreign_write.begin(lake, "prod", "dbt")
    drop: Callable[[str], Any] = lambda kind: lake.connection.execute(f"drop {kind} lake.prod__build.sales")  # noqa: E731
    drop("view" if is_view(released, "sales") else "table")
    lake.connection.execute(f"create table lake.prod__build.sales as select '{said}' as total")
    if restored:
        foreign_write.restore(lake, "prod", ["sales"], "dbt")
        return
    version = lake.current_version()
    found = digests(lake.connection, "lake.prod__build.sales", [WHOLE])
    foreign_write.adopt(lake, [manifest_of(WHOLE, found[WHOLE], "sales")], version, "dbt")


def manifest_of(part: str, digest: TableDigest, name: str = "orders") -> Any:
    return shop_manifest("prod", name, part, str(digest), (), digest.rows)


def is_view(released: Shop, name: str) -> bool:
    query = f"select 1 from duckdb_views() where schema_name = 'prod__build' and view_name = '{name}'"
    return released.lake.connection.execute(query).fetchone() is not None


def in_area(released: Shop, name: str) -> list[tuple[Any, ...]]:
    """What dbt reads under a name."""
    return sorted(released.lake.connection.execute(f"from lake.prod__build.{name}").fetchall(), key=str)


def failing(*_: Any) -> Any:
    raise OSError("disk full")
