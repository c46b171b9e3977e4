"""What is to be made again is found by its beginning, and its code is that of its release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.events import Publication
from dataops_platform.manifests.manifest import Head
from dataops_platform.release.build import freeze
from dataops_platform.release.reproduce.code import code_of
from dataops_platform.release.reproduce.target import find_target

pytestmark = pytest.mark.journey

RAW = "select {} as id, 1.0 as amount, null::varchar as email"


def raw(world: Any, number: int, run: str = "run-1") -> Head:
    return world.write(RAW.format(number), "raw_orders", stage="extract", run_id=run)  # type: ignore[no-any-return]


def step(world: Any, name: str, *inputs: Head, run: str = "run-1", stage: str = "clean", number: int = 1) -> Head:
    from dataops_platform.manifests.manifest import StepIdentity

    identity = StepIdentity("code", "config", "", tuple(head.ref() for head in inputs))
    return world.write(RAW.format(number), name, step=identity, run_id=run, stage=stage)  # type: ignore[no-any-return]


def names(found: Any) -> set[str]:
    return {manifest.name for manifest in found.values()}


def test_a_release_starts_from_its_raw_tables(world: Any) -> None:
    first = raw(world, 1)
    orders = step(world, "orders", first)
    step(world, "totals", orders, stage="transform")
    release = world.release("orders", "totals")
    raw(world, 2)
    target = find_target(world.lake, release.id[7:15])
    (origin,) = target.passes(world.lake)
    assert (target.label, names(origin.made), names(origin.given)) == (
        f"release {release}",
        {"orders", "totals"},
        {"raw_orders"},
    )
    assert set(origin.given) == {first.manifests[0].id}


def test_a_run_starts_from_what_it_did_not_make(world: Any) -> None:
    orders = step(world, "orders", raw(world, 1))
    step(world, "totals", orders, run="run-2", stage="transform")
    target = find_target(world.lake, "run-2")
    (origin,) = target.passes(world.lake)
    assert (target.label, target.release) == ("run run-2", None)
    assert (names(origin.made), names(origin.given)) == ({"totals"}, {"orders"})


def test_what_dbt_made_together_is_made_together(world: Any) -> None:
    orders = step(world, "orders", raw(world, 1))
    customers = step(world, "customers", raw(world, 2))
    totals = step(world, "totals", orders, stage="transform")
    step(world, "regulars", customers, stage="transform")
    release = world.release(totals.name)
    (origin,) = find_target(world.lake, release.id).passes(world.lake)
    assert names(origin.made) == {"totals", "regulars", "orders", "customers"}


def test_a_table_of_two_contents_is_made_in_two_goes(world: Any) -> None:
    """A model was learnt from the orders of yesterday, and scores those of today."""
    from dataclasses import replace

    features = step(world, "orders", raw(world, 1))
    learnt = step(world, "late", features, stage="train")
    model = replace(learnt.manifests[0], kind="model", name="delay", digest="sha256:1")
    world.record(model, "1")
    today = step(world, "orders", raw(world, 2), number=2)
    step(world, "scores", today, world.lake.heads("dev")["delay"], stage="score")
    release = world.release("orders", "scores", "delay")
    apart, rest = find_target(world.lake, release.id).passes(world.lake)
    assert (names(apart.made), names(apart.given)) == ({"orders", "delay"}, {"raw_orders"})
    assert (names(rest.made), names(rest.given)) == ({"orders", "scores"}, {"raw_orders", "delay"})
    assert set(apart.given) != {i for i, m in rest.given.items() if m.name == "raw_orders"}


def test_what_is_not_known_is_told(world: Any) -> None:
    with pytest.raises(UsedWrongly, match="DP-L050 'ffff' is neither a release nor a run that built anything"):
        find_target(world.lake, "ffff")
    step(world, "orders", raw(world, 1, "run-12"), run="run-13")
    with pytest.raises(UsedWrongly, match="DP-L088 Several runs begin with 'run-1'"):
        find_target(world.lake, "run-1")
    with pytest.raises(UsedWrongly, match="DP-L089 Run run-12 only loaded source tables"):
        find_target(world.lake, "run-12")
    assert find_target(world.lake, "run-13", "dev").run == "run-13"
    with pytest.raises(UsedWrongly, match="DP-L050"):
        find_target(world.lake, "run-13", "prod")


def test_a_release_of_what_is_in_no_commit_needs_the_code_at_hand(world: Any) -> None:
    step(world, "orders", raw(world, 1))
    world.commit()
    more: Path = world.file("src/shop/more.py", "MORE = 1")
    cut = cut_of([world.lake.heads("dev")["orders"]])
    world.lake.switch("dev", cut, world.lake.state("dev"), Publication(actor="ann"))
    release = freeze(world.session("dev"), cut)
    target = find_target(world.lake, release.id)
    assert code_of(world.project("dev"), target).root == world.folder
    more.unlink()
    with pytest.raises(Refused, match="DP-L051"):
        code_of(world.project("dev"), target)


def test_of_two_releases_with_what_a_run_made_the_one_with_a_commit_has_the_code(world: Any) -> None:
    """Somebody built a release, was told to commit, and built it again; the run is the one before both."""
    step(world, "orders", raw(world, 1))
    world.commit()
    world.file("src/shop/more.py", "MORE = 1")
    cut = cut_of([world.lake.heads("dev")["orders"]])
    world.lake.switch("dev", cut, world.lake.state("dev"), Publication(actor="ann"))
    assert freeze(world.session("dev"), cut).is_dirty
    clean = world.release("orders")
    assert find_target(world.lake, "run-1").release == clean


def test_the_level_asked_for_is_one_of_four(world: Any, dataops_in: Any) -> None:
    world.write()
    said = dataops_in(world.folder)("reproduce", "ffff", "--level", "byte")
    assert (said.exit_code, "DP-L055" in said.text, "did you mean 'bytes'?" in said.text) == (2, True, True)
