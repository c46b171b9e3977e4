"""A cut is known by what it shows, and is consistent or names what is stale."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.kit.digests import canonical_json, digest_of
from dataops_platform.manifests.cut import Cut, Member, Stale, cut_of, judged_members, stale_members
from dataops_platform.manifests.manifest import Head, InputRef, Manifest, StepIdentity
from dataops_platform.manifests.windows import Window, Windows, plant

Make = Callable[..., Manifest]
Top = Callable[..., Head]

JAN, FEB = "2024-01-01", "2024-02-01"
WINDOWS = [
    Window(JAN, "dp1:2:00000000000000000000000000000001", "m1", 2, "2024", "contract", ("raw",)),
    Window(FEB, "dp1:3:00000000000000000000000000000002", "m2", 3, "2024", "contract", ("raw",)),
]
MEMBER = Member("orders", "table", "3", plant(WINDOWS).windows)


def with_window(**change: Any) -> Windows:
    return plant([WINDOWS[0], dataclasses.replace(WINDOWS[1], **change)]).windows


def test_a_cut_of_heads_says_what_each_shows(manifest: Make, head: Top) -> None:
    february = manifest("orders", partition="2024-02-01", rows=4, content=2, contract="c2")
    january = manifest("orders", partition="2024-01-01", rows=3, content=7, contract="c1")
    customers = manifest("customers", rows=9)
    cut = cut_of([head(february, january, version="9"), head(customers, version="8")])
    assert [member.name for member in cut.members] == ["customers", "orders"]
    orders = cut.member("orders")
    assert orders is not None
    assert orders == Member("orders", "table", "9", plant([january.window, february.window]).windows)
    assert (orders.digest, orders.rows) == ("dp1:7:00000000000000000000000000000009", 7)
    assert orders.contract == digest_of(["c1", "c2"])
    assert cut.member("nobody") is None


def test_the_id_of_a_cut_does_not_depend_on_versions_runs_times_or_order(manifest: Make, head: Top) -> None:
    orders, customers = manifest("orders"), manifest("customers", content=5)
    later = dataclasses.replace(orders, run_id="run-2", recorded_at="2025-01-01T00:00:00+00:00")
    first = cut_of([head(orders, version="1"), head(customers, version="2")])
    again = cut_of([head(customers, version="20"), head(later, version="10")])
    assert again.id == first.id
    assert again != first


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"version": "4"}, True),
        ({"area": "dev"}, True),
        ({"windows": with_window(manifest="m3", recorded_at="2025", lineage=())}, True),
        ({"name": "other"}, False),
        ({"kind": "model"}, False),
        ({"windows": with_window(digest="dp1:3:00000000000000000000000000000003")}, False),
        ({"windows": with_window(key="2024-03-01")}, False),
        ({"windows": with_window(contract="other")}, False),
        ({"windows": plant(WINDOWS[:1]).windows}, False),
    ],
)
def test_the_id_of_a_cut_changes_with_what_a_consumer_can_see(change: dict[str, Any], same: bool) -> None:
    assert (Cut((dataclasses.replace(MEMBER, **change),)).id == Cut((MEMBER,)).id) is same


def test_a_cut_with_a_member_more_is_another(manifest: Make, head: Top) -> None:
    heads = [head(manifest("orders")), head(manifest("customers"))]
    assert len({cut_of(heads[:n]).id for n in range(3)}) == 3


def test_a_cut_is_written_and_read_back() -> None:
    cut = Cut((MEMBER, dataclasses.replace(MEMBER, name="other", kind="model")))
    assert Cut.from_text(cut.to_text()) == cut
    later = {**json.loads(cut.to_text()), "later": [1]}
    assert Cut.from_text(json.dumps(later)).to_text() == canonical_json(later)


def test_what_a_cut_says_does_not_grow_with_the_windows_of_its_tables() -> None:
    sizes = []
    for count in (10, 1000):
        windows = [dataclasses.replace(WINDOWS[0], key=f"w{n:04}", manifest=f"m{n:04}") for n in range(count)]
        sizes.append(len(Cut((Member("orders", "table", "3", plant(windows).windows),)).to_text()))
    assert sizes[1] - sizes[0] < 10, "the digits of two counts"


def of(known: Mapping[str, Manifest]) -> Callable[[InputRef], list[Manifest]]:
    """The manifests of an input, out of these."""
    return lambda ref: [known[one] for one in ref.manifests]


def stale(heads: Sequence[Head], *others: Manifest) -> list[str]:
    """What is stale in a cut of these heads; `others` are manifests of what is in no cut."""
    known = {manifest.id: manifest for manifest in (*others, *(m for head in heads for m in head.manifests))}
    return sorted(str(found) for found in stale_members({head.name: head for head in heads}, of(known)))


def whole(*manifests: Manifest) -> InputRef:
    """How a step records that it read all of these."""
    return Head(manifests[0].name, manifests[0].kind, "1", manifests).ref()


def part(manifest: Manifest) -> InputRef:
    """How a step records that it read one partition."""
    return Head(manifest.name, manifest.kind, "1", (manifest,)).ref(manifest.partition)


def test_a_cut_made_of_what_it_shows_is_consistent(manifest: Make, head: Top) -> None:
    raw = manifest("raw", inputs=[InputRef("data/orders.csv", "sha256:1")])
    orders = manifest("orders", inputs=[whole(raw)])
    marts = manifest("marts", inputs=[whole(orders)])
    assert stale([head(raw), head(orders), head(marts)]) == []
    assert stale([head(marts)], raw, orders) == []
    assert stale([]) == []


def test_a_member_made_from_an_older_member_is_stale(manifest: Make, head: Top) -> None:
    old, new = manifest("orders", content=1), manifest("orders", content=2)
    marts = manifest("marts", inputs=[whole(old)])
    assert stale([head(new), head(marts)], old) == ["marts was made from an older orders"]
    assert stale([head(old), head(marts)]) == []


def test_a_new_run_with_the_same_content_makes_nothing_stale(manifest: Make, head: Top) -> None:
    old, new = manifest("orders", run_id="run-1"), manifest("orders", run_id="run-2")
    marts = manifest("marts", inputs=[whole(old)])
    assert old.id != new.id
    assert stale([head(new), head(marts)], old) == []


def test_a_member_made_from_an_older_one_through_what_is_in_no_cut_is_stale(manifest: Make, head: Top) -> None:
    old, new = manifest("orders", content=1), manifest("orders", content=2)
    staging = manifest("staging", inputs=[whole(old)])
    between = manifest("between", inputs=[whole(staging)])
    marts = manifest("marts", inputs=[whole(between)])
    others = (old, staging, between)
    assert stale([head(new), head(marts)], *others) == ["marts was made from an older orders"]
    assert stale([head(old), head(marts)], *others) == []


def test_a_diamond_with_one_old_side_is_stale(manifest: Make, head: Top) -> None:
    old, new = manifest("orders", content=1), manifest("orders", content=2)
    left, right = manifest("left", inputs=[whole(old)]), manifest("right", inputs=[whole(new)])
    marts = manifest("marts", inputs=[whole(left), whole(right)])
    assert stale([head(new), head(marts)], old, left, right) == ["marts was made from an older orders"]
    assert stale([head(old), head(marts)], new, left, right) == ["marts was made from an older orders"]
    assert stale([head(new), head(left), head(right), head(marts)], old) == ["left was made from an older orders"]


def test_a_member_that_was_followed_is_judged_by_itself_and_not_through_others(manifest: Make, head: Top) -> None:
    old, new = manifest("orders", content=1), manifest("orders", content=2)
    daily = manifest("daily", inputs=[whole(old)])
    marts = manifest("marts", inputs=[whole(daily)])
    assert stale([head(new), head(daily), head(marts)], old) == ["daily was made from an older orders"]


def test_one_partition_that_was_made_again_makes_just_its_reader_stale(manifest: Make, head: Top) -> None:
    raw_jan, raw_feb = manifest("raw", partition=JAN), manifest("raw", partition=FEB, content=2)
    raw_feb_again = manifest("raw", partition=FEB, content=3)
    jan = manifest("orders", partition=JAN, inputs=[part(raw_jan)])
    feb = manifest("orders", partition=FEB, inputs=[part(raw_feb)])
    assert stale([head(raw_jan, raw_feb), head(jan, feb)]) == []
    assert stale([head(raw_jan, raw_feb_again), head(jan, feb)], raw_feb) == [
        f"orders (partition {FEB}) was made from an older raw"
    ]
    assert stale([head(raw_jan), head(jan, feb)], raw_feb) == [f"orders (partition {FEB}) was made from an older raw"]


def test_a_whole_table_is_stale_when_a_partition_it_read_changed_or_one_was_added(manifest: Make, head: Top) -> None:
    jan, feb = manifest("orders", partition=JAN), manifest("orders", partition=FEB, content=2)
    jan_again = manifest("orders", partition=JAN, content=9)
    marts = manifest("marts", inputs=[whole(jan, feb)])
    assert stale([head(feb, jan), head(marts)]) == []
    assert stale([head(jan_again, feb), head(marts)], jan) == ["marts was made from an older orders"]
    march = manifest("orders", partition="2024-03-01", rows=0, content=0)
    assert stale([head(jan, feb, march), head(marts)]) == []
    april = manifest("orders", partition="2024-04-01", content=4)
    assert stale([head(jan, feb, april), head(marts)]) == ["marts was made from an older orders"]


def test_each_partition_that_is_stale_through_one_shared_table_is_named(manifest: Make, head: Top) -> None:
    old, new = manifest("codes", content=1), manifest("codes", content=2)
    shared = manifest("shared", inputs=[whole(old)])
    jan = manifest("orders", partition=JAN, inputs=[whole(shared)])
    feb = manifest("orders", partition=FEB, inputs=[whole(shared)])
    assert stale([head(new), head(jan, feb)], old, shared) == [
        f"orders (partition {JAN}) was made from an older codes",
        f"orders (partition {FEB}) was made from an older codes",
    ]


def test_a_reader_of_a_partition_is_stale_when_the_table_has_none_any_more(manifest: Make, head: Top) -> None:
    jan = manifest("raw", partition=JAN)
    orders = manifest("orders", partition=JAN, inputs=[part(jan)])
    assert stale([head(manifest("raw")), head(orders)], jan) == [f"orders (partition {JAN}) was made from an older raw"]


def test_each_source_is_named_once(manifest: Make, head: Top) -> None:
    old, new = manifest("orders", content=1), manifest("orders", content=2)
    marts = manifest("marts", inputs=[whole(old), whole(old)])
    found = stale_members({"orders": head(new), "marts": head(marts)}, of({}))
    assert found == [Stale("marts", "orders")]


def test_members_made_from_two_contents_of_a_table_outside_the_cut_are_not_consistent(
    manifest: Make, head: Top
) -> None:
    old, new = head(manifest("raw", content=1)), head(manifest("raw", content=2))
    first, second = head(manifest("a", inputs=[old.ref()])), head(manifest("b", inputs=[new.ref()]))
    known = {m.id: m for h in (old, new) for m in h.manifests}
    cut = {"a": first, "b": second}
    assert stale_members(cut, of(known), {**cut, "raw": new}) == [Stale("a", "raw")]
    assert stale_members(cut, of(known), {**cut, "raw": old}) == [Stale("b", "raw")]
    assert stale_members(cut, of(known)) == [Stale("a", "raw"), Stale("b", "raw")]
    assert stale_members({"a": first, "c": head(manifest("c", inputs=[old.ref()]))}, of(known)) == []


def test_a_model_of_a_release_may_be_older_than_the_data_beside_it(manifest: Make, head: Top) -> None:
    old, new = head(manifest("orders")), head(manifest("orders", content=2))
    model = head(manifest("churn", inputs=[old.ref()]))
    scored = head(manifest("scores", inputs=[new.ref(), head(manifest("churn", content=9)).ref()]))
    heads = {"orders": new, "churn": model}
    manifests = {m.id: m for h in (old, new, model) for m in h.manifests}
    assert stale_members(heads, of(manifests)) == [Stale("churn", "orders")]
    assert stale_members(heads, of(manifests), older=["churn"]) == []
    assert stale_members(heads | {"scores": scored}, of(manifests), older=["churn"]) == [Stale("scores", "churn")]


NAMES = ("raw", "codes", "orders", "lines", "daily", "marts")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Head], list[Head], dict[str, Manifest], set[str], set[str]]:
    """Heads made from one another, heads after some were made again, all manifests, what was shown and what is to be.

    What is made again reads of each table before it the version of now or one of before.
    """
    shown = {*NAMES} - draw(st.sets(st.sampled_from(NAMES[:4]), min_size=1, max_size=3))
    reads = {n: draw(st.sets(st.sampled_from(NAMES[:i]), min_size=1)) if i else set() for i, n in enumerate(NAMES)}
    versions: dict[str, list[Head]] = {name: [] for name in NAMES}

    def make(name: str, content: int, pick: Callable[[list[Head]], Head]) -> None:
        inputs = tuple(pick(versions[one]).ref() for one in sorted(reads[name]))
        step = StepIdentity("code", "config", "contract", inputs)
        digest = f"dp1:1:{content:032x}"
        made = Manifest("dev", "clean", name, "table", "", f"run {content}", step, digest, 1, 1, 0, "2024")
        versions[name].append(Head(name, "table", "1", (made,)))

    for number, name in enumerate(NAMES):
        make(name, number, lambda found: found[-1])
    before = [found[-1] for found in versions.values()]
    for content in range(draw(st.integers(0, 6))):
        name = draw(st.sampled_from(NAMES))
        make(name, 100 + content, lambda found: draw(st.sampled_from(found)))
    after = [found[-1] for found in versions.values()]
    manifests = {m.id: m for found in versions.values() for h in found for m in h.manifests}
    return before, after, manifests, shown, shown - draw(st.sets(st.sampled_from(NAMES), max_size=1))


@settings(max_examples=300, deadline=None, database=None)
@given(histories())
def test_who_knows_what_was_consistent_before_finds_what_a_look_at_everything_finds(
    history: tuple[list[Head], list[Head], dict[str, Manifest], set[str], set[str]],
) -> None:
    before, after, known, was_shown, shown = history
    consistent = cut_of(head for head in before if head.name in was_shown)
    heads = {head.name: head for head in after if head.name in shown}
    newest = {head.name: head for head in after}
    judged = judged_members(heads, consistent)
    assert stale_members(heads, of(known), newest, judged=judged) == stale_members(heads, of(known), newest)


def test_what_nothing_changed_for_is_not_judged(manifest: Make, head: Top) -> None:
    raw = [manifest(f"raw{n}") for n in range(3)]
    tables = [head(manifest(f"table{n}", inputs=[whole(raw[n])])) for n in range(3)]
    again = head(manifest("table1", content=2, inputs=[whole(raw[1])]))
    mart = head(manifest("mart", inputs=[tables[1].ref()]))
    side = head(manifest("side", inputs=[whole(raw[1])]))
    heads = {one.name: one for one in (*tables, mart, side)}
    assert judged_members(heads, cut_of(heads.values())) == set()
    assert judged_members({**heads, "table1": again}, cut_of(heads.values())) == {"table1", "mart", "side"}
