"""A tree of windows follows from the windows alone, and shares with its neighbour all that did not change."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.kit.digests import digest_of, digest_of_bytes
from dataops_platform.manifests.windows import LEAF, Planted, Window, differing, grow, plant, read_windows


def window(number: int, content: int = 1, contract: str = "c1", lineage: Sequence[str] = ("raw",)) -> Window:
    manifest = digest_of([number, content, contract])
    return Window(
        f"w{number:04}",
        f"dp1:{content}:{content:032x}",
        manifest,
        content,
        f"2030-01-{number % 28}",
        contract,
        tuple(lineage),
    )


class Store:
    """Kept nodes, and how many of them were fetched."""

    def __init__(self, *planted: Planted) -> None:
        self.nodes = {name: text for one in planted for name, text in one.nodes.items()}
        self.fetched = 0

    def __call__(self, names: Collection[str]) -> Mapping[str, str]:
        self.fetched += len(names)
        return {name: self.nodes[name] for name in names}


WINDOWS = st.dictionaries(st.integers(0, 400), st.integers(0, 3), max_size=120).map(
    lambda found: [window(number, content, f"c{content}", [f"raw{content % 2}"]) for number, content in found.items()]
)


@settings(max_examples=60, deadline=None, database=None)
@given(WINDOWS, WINDOWS, st.randoms())
def test_growing_is_planting_all_in_whatever_order(old: list[Window], new: list[Window], chance: object) -> None:
    before = plant(old)
    grown = grow(before.windows, new, Store(before))
    shuffled = [*old, *new]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    merged = {w.key: w for w in (*old, *new)}
    assert grown.windows == plant(sorted(merged.values(), key=lambda w: w.manifest)).windows
    assert plant(shuffled).windows.count == len(merged)
    assert read_windows(grown.windows, Store(before, grown)) == sorted(merged.values(), key=lambda w: w.key)


@settings(max_examples=60, deadline=None, database=None)
@given(WINDOWS)
def test_the_sum_says_what_all_windows_say(windows: list[Window]) -> None:
    found = plant(windows).windows
    assert (found.count, found.rows) == (len(windows), sum(w.rows for w in windows))
    assert found.recorded_at == max((w.recorded_at for w in windows), default="")
    assert found.contracts == tuple(sorted({w.contract for w in windows}))
    assert found.lineage == tuple(sorted({name for w in windows for name in w.lineage}))
    assert found.digest == f"dp1:{found.rows}:{sum(w.rows for w in windows):032x}"


@settings(max_examples=60, deadline=None, database=None)
@given(WINDOWS, WINDOWS)
def test_two_trees_differ_in_just_the_windows_whose_contents_do(one: list[Window], other: list[Window]) -> None:
    first, second = plant(one), plant(other)
    contents = [{w.key: w.digest for w in windows} for windows in (one, other)]
    expected = {key for key in contents[0] | contents[1] if contents[0].get(key) != contents[1].get(key)}
    assert differing({"t": (first.windows, second.windows)}, Store(first, second)) == {"t": expected}
    assert (first.windows.root == second.windows.root) is not bool(expected)


def test_the_root_is_of_contents_and_the_node_of_where_they_lie() -> None:
    first = [window(n) for n in range(50)]
    again = [dataclasses.replace(w, manifest=digest_of("another run")) for w in first]
    assert plant(first).windows.root == plant(again).windows.root
    assert plant(first).windows.node != plant(again).windows.node
    assert differing({"t": (plant(first).windows, plant(again).windows)}, Store()) == {"t": set()}, "nothing is fetched"


def test_nodes_are_named_by_their_bytes() -> None:
    planted = plant([window(n) for n in range(300)])
    assert all(digest_of_bytes(text.encode()) == name for name, text in planted.nodes.items())
    assert planted.windows.node in planted.nodes


def test_one_more_window_makes_one_node_a_depth_and_a_difference_fetches_only_these() -> None:
    before = plant([window(n) for n in range(1000)])
    grown = grow(before.windows, [window(1000)], store := Store(before))
    assert len(grown.nodes) == store.fetched == 3
    store = Store(before, grown)
    assert differing({"t": (before.windows, grown.windows)}, store) == {"t": {"w1000"}}
    assert store.fetched == 6
    assert sum(map(len, grown.nodes.values())) < 12_000


@pytest.mark.parametrize("count", [0, 1, LEAF])
def test_few_windows_are_one_node(count: int) -> None:
    assert len(plant([window(n) for n in range(count)]).nodes) == 1


def test_the_root_of_some_windows_stays_what_it_is() -> None:
    whole = plant([Window("", "dp1:2:0000000000000000000000000000000f", "sha256:ab", 2, "2030", "c", ("raw",))])
    assert whole.nodes[whole.windows.node] == (
        '{"contracts":["c"],"lineages":[["raw"]],'
        '"windows":[["","dp1:2:0000000000000000000000000000000f","sha256:ab",2,"2030",0,0]]}'
    )
    days = plant([window(n, n % 3) for n in range(40)]).windows
    assert (whole.windows.root, days.root, days.node) == VECTORS


VECTORS = (
    "sha256:e95782bc58eb5acdaf60664b55e0c07b81998f9528a452e21446623295a65fad",
    "sha256:165c2497ec6bcb18e0bf99a843c6e4cde89ea3b447e0ec811c1a090f2e7c13e0",
    "sha256:42793faef8a279484d9818a75a748459878c4067efcd474dfa7a383f1ea2a2fb",
)
