"""A cut is known by what it shows, and is consistent or names what is stale."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dataops_platform.kit.digests import canonical_json
from dataops_platform.manifests.cut import Cut, Member, Stale, cut_of, stale_members
from dataops_platform.manifests.manifest import Head, InputRef, Manifest

Make = Callable[..., Manifest]
Top = Callable[..., Head]

MEMBER = Member("orders", "table", "dp1:1:00", "3", ("jan", "feb"), ("m1", "m2"), "contract", 5)


def test_a_cut_of_heads_says_what_each_shows(manifest: Make, head: Top) -> None:
    february = manifest("orders", partition="2024-02-01", rows=4, content=2, contract="c2")
    january = manifest("orders", partition="2024-01-01", rows=3, content=7, contract="c1")
    customers = manifest("customers", rows=9)
    cut = cut_of([head(february, january, version="9"), head(customers, version="8")])
    assert [member.name for member in cut.members] == ["customers", "orders"]
    orders = cut.member("orders")
    assert orders is not None
    assert dataclasses.replace(orders, contract="") == Member(
        "orders",
        "table",
        "dp1:7:00000000000000000000000000000009",
        "9",
        ("2024-01-01", "2024-02-01"),
        (february.id, january.id),
        "",
        7,
    )
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
        ({"manifests": ("m3",)}, True),
        ({"rows": 6}, True),
        ({"name": "other"}, False),
        ({"kind": "model"}, False),
        ({"digest": "dp1:1:01"}, False),
        ({"partitions": ("jan",)}, False),
        ({"contract": "other"}, False),
    ],
)
def test_the_id_of_a_cut_changes_with_what_a_consumer_can_see(change: dict[str, Any], same: bool) -> None:
    assert (Cut((dataclasses.replace(MEMBER, **change),)).id == Cut((MEMBER,)).id) is same


def test_a_cut_with_a_member_more_is_another(manifest: Make, head: Top) -> None:
    heads = [head(manifest("orders")), head(manifest("customers"))]
    assert len({cut_of(heads[:n]).id for n in range(3)}) == 3


def test_a_cut_is_written_and_read_back() -> None:
    cut = Cut((MEMBER, dataclasses.replace(MEMBER, name="other", kind="model", partitions=("",))))
    assert Cut.from_text(cut.to_text()) == cut
    later = {**json.loads(cut.to_text()), "later": [1]}
    assert Cut.from_text(json.dumps(later)).to_text() == canonical_json(later)


def stale(heads: Sequence[Head], *others: Manifest) -> list[str]:
    """What is stale in a cut of these heads; `others` are manifests of what is in no cut."""
    known = {manifest.id: manifest for manifest in (*others, *(m for head in heads for m in head.manifests))}
    return sorted(str(found) for found in stale_members({head.name: head for head in heads}, known.__getitem__))


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


JAN, FEB = "2024-01-01", "2024-02-01"


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
    found = stale_members({"orders": head(new), "marts": head(marts)}, {}.__getitem__)
    assert found == [Stale("marts", "orders")]


def test_members_made_from_two_contents_of_a_table_outside_the_cut_are_not_consistent(
    manifest: Make, head: Top
) -> None:
    old, new = head(manifest("raw", content=1)), head(manifest("raw", content=2))
    first, second = head(manifest("a", inputs=[old.ref()])), head(manifest("b", inputs=[new.ref()]))
    known = {m.id: m for h in (old, new) for m in h.manifests}
    cut = {"a": first, "b": second}
    assert stale_members(cut, known.__getitem__, {**cut, "raw": new}) == [Stale("a", "raw")]
    assert stale_members(cut, known.__getitem__, {**cut, "raw": old}) == [Stale("b", "raw")]
    assert stale_members(cut, known.__getitem__) == [Stale("a", "raw"), Stale("b", "raw")]
    assert stale_members({"a": first, "c": head(manifest("c", inputs=[old.ref()]))}, known.__getitem__) == []


def test_a_model_of_a_release_may_be_older_than_the_data_beside_it(manifest: Make, head: Top) -> None:
    old, new = head(manifest("orders")), head(manifest("orders", content=2))
    model = head(manifest("churn", inputs=[old.ref()]))
    scored = head(manifest("scores", inputs=[new.ref(), head(manifest("churn", content=9)).ref()]))
    heads = {"orders": new, "churn": model}
    manifests = {m.id: m for h in (old, new, model) for m in h.manifests}
    assert stale_members(heads, manifests.__getitem__) == [Stale("churn", "orders")]
    assert stale_members(heads, manifests.__getitem__, older=["churn"]) == []
    assert stale_members(heads | {"scores": scored}, manifests.__getitem__, older=["churn"]) == [
        Stale("scores", "churn")
    ]
