"""The windows of a table as a Merkle tree: of two tables all nodes are one but those on the way to what differs.

A node of at most `LEAF` windows is a leaf. One of more has a child for each hexadecimal digit that the digests of its
windows' keys have at its depth. So the tree follows from the set of windows, whatever order they came in, and one more
window changes one node at each depth. Nodes are kept as texts under the digest of their bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.digests import canonical_json, digest_of, digest_of_bytes
from dataops_platform.kit.record import Record
from dataops_platform.manifests.table_digest import TableDigest

LEAF = 16

Fetch = Callable[[Collection[str]], Mapping[str, str]]
"""Gives kept nodes' texts by their digests."""


@dataclass(frozen=True)
class Window:
    """One window: its key (empty: the whole), the digest of its content and the id of its manifest.

    Of that manifest: when it was recorded, the rows, the contract, and the names of all tables that it was made from.
    """

    key: str
    digest: str
    manifest: str
    rows: int
    recorded_at: str
    contract: str
    lineage: tuple[str, ...] = ()


@dataclass(frozen=True)
class Windows(Record):
    """A tree in sum. `root` is the Merkle root over keys and digests; `node` names the node, manifests included.

    `digest` is that of all rows, `recorded_at` the last, `contracts` and `lineage` are what any window has, in order.
    """

    root: str
    node: str
    count: int
    rows: int
    digest: str
    recorded_at: str
    contracts: tuple[str, ...]
    lineage: tuple[str, ...]


@dataclass(frozen=True)
class Planted:
    """A tree, and the texts of those of its nodes that were made for it."""

    windows: Windows
    nodes: Mapping[str, str]


def plant(windows: Iterable[Window]) -> Planted:
    """The tree of these windows; of two with one key the last."""
    return _plant(list({window.key: window for window in windows}.values()), 0)


def grow(before: Windows, windows: Iterable[Window], fetch: Fetch) -> Planted:
    """The tree with these windows in place of those that have their keys; fetches only the nodes on the way."""
    new = {window.key: window for window in windows}
    return _grow(before, list(new.values()), 0, fetch) if new else Planted(before, {})


def read_windows(windows: Windows, fetch: Fetch) -> list[Window]:
    """All windows, in order of their keys; fetches depth by depth."""
    return read_trees([windows.node], fetch)[windows.node]


def read_trees(roots: Collection[str], fetch: Fetch) -> dict[str, list[Window]]:
    """All windows below each of some nodes, in order of their keys; fetches depth by depth of all together."""
    found: dict[str, list[Window]] = {root: [] for root in roots}
    todo = {root: [root] for root in found}
    while todo:
        texts = fetch({name for names in todo.values() for name in names})
        for root, names in list(todo.items()):
            inside = [_node(texts[name]) for name in names]
            found[root] += [window for node in inside for window in node.windows]
            todo[root] = [child.node for node in inside for child in node.children.values()]
        todo = {root: names for root, names in todo.items() if names}
    return {root: sorted(windows, key=lambda window: window.key) for root, windows in found.items()}


def nodes_below(names: Collection[str], fetch: Fetch) -> set[str]:
    """The digests of some nodes and of all below them."""
    found: set[str] = set()
    todo = set(names)
    while todo:
        found |= todo
        todo = {child.node for text in fetch(todo).values() for child in _node(text).children.values()} - found
    return found


def differing(one: Windows, other: Windows, fetch: Fetch) -> set[str]:
    """The keys of windows that only one of two trees has, or that have other contents; fetches only what differs."""
    found: set[str] = set()
    todo = [(one, other)] if one.root != other.root else []
    while todo:
        texts = fetch({side.node for pair in todo for side in pair})
        pairs = [(_node(texts[a.node]), _node(texts[b.node])) for a, b in todo]
        todo = []
        for a, b in pairs:
            if a.children and b.children:
                both = a.children.keys() & b.children.keys()
                todo += [(a.children[d], b.children[d]) for d in both if a.children[d].root != b.children[d].root]
                alone = [
                    child
                    for side, rest in ((a, b), (b, a))
                    for d, child in side.children.items()
                    if d not in rest.children
                ]
                found |= {window.key for child in alone for window in read_windows(child, fetch)}
            else:
                found |= _unlike(_contents(a, fetch), _contents(b, fetch))
    return found


@dataclass(frozen=True)
class _Node:
    """A leaf has windows, any other node children by their digit."""

    windows: tuple[Window, ...]
    children: Mapping[str, Windows]


def _contents(node: _Node, fetch: Fetch) -> dict[str, str]:
    inside = (window for child in node.children.values() for window in read_windows(child, fetch))
    return {window.key: window.digest for window in (*node.windows, *inside)}


def _unlike(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _digit(key: str, depth: int) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[depth]


def _by_digit(windows: Iterable[Window], depth: int) -> dict[str, list[Window]]:
    found: dict[str, list[Window]] = {}
    for window in windows:
        found.setdefault(_digit(window.key, depth), []).append(window)
    return found


def _plant(windows: list[Window], depth: int) -> Planted:
    if len(windows) <= LEAF:
        return _leaf(windows)
    children = {digit: _plant(part, depth + 1) for digit, part in _by_digit(windows, depth).items()}
    return _inner({digit: child.windows for digit, child in children.items()}, children.values())


def _grow(before: Windows, new: list[Window], depth: int, fetch: Fetch) -> Planted:
    node = _node(fetch([before.node])[before.node])
    if not node.children:
        return _plant(list({window.key: window for window in (*node.windows, *new)}.values()), depth)
    grown = {
        digit: _grow(node.children[digit], part, depth + 1, fetch)
        if digit in node.children
        else _plant(part, depth + 1)
        for digit, part in _by_digit(new, depth).items()
    }
    return _inner({**node.children, **{digit: child.windows for digit, child in grown.items()}}, grown.values())


def _leaf(windows: Iterable[Window]) -> Planted:
    ordered = sorted(windows, key=lambda window: window.key)
    contracts, lineages = _ordered(w.contract for w in ordered), _ordered(w.lineage for w in ordered)
    lines = [
        [w.key, w.digest, w.manifest, w.rows, w.recorded_at, contracts.index(w.contract), lineages.index(w.lineage)]
        for w in ordered
    ]
    text = canonical_json({"windows": lines, "contracts": contracts, "lineages": lineages})
    root = digest_of([[window.key, window.digest] for window in ordered])
    return Planted(
        _summed(root, text, ordered, [1] * len(ordered), contracts, lineages), {digest_of_bytes(text.encode()): text}
    )


def _inner(children: Mapping[str, Windows], made: Iterable[Planted]) -> Planted:
    ordered = dict(sorted(children.items()))
    parts = list(ordered.values())
    contracts = _ordered(contract for child in parts for contract in child.contracts)
    lineages = _ordered(child.lineage for child in parts)
    lines = {
        digit: [
            *(c.root, c.node, c.count, c.rows, c.digest, c.recorded_at),
            [contracts.index(one) for one in c.contracts],
            lineages.index(c.lineage),
        ]
        for digit, c in ordered.items()
    }
    text = canonical_json({"children": lines, "contracts": contracts, "lineages": lineages})
    root = digest_of({digit: child.root for digit, child in ordered.items()})
    below = {name: node for one in made for name, node in one.nodes.items()}
    summed = _summed(root, text, parts, [child.count for child in parts], contracts, lineages)
    return Planted(summed, {**below, summed.node: text})


def _summed(
    root: str,
    text: str,
    parts: Sequence[Window | Windows],
    counts: Iterable[int],
    contracts: Iterable[str],
    lineages: Iterable[tuple[str, ...]],
) -> Windows:
    return Windows(
        root=root,
        node=digest_of_bytes(text.encode()),
        count=sum(counts),
        rows=sum(part.rows for part in parts),
        digest=_sum([part.digest for part in parts]),
        recorded_at=max((part.recorded_at for part in parts), default=""),
        contracts=tuple(contracts),
        lineage=tuple(sorted({name for names in lineages for name in names})),
    )


def _ordered(values: Iterable[Any]) -> list[Any]:
    return sorted(set(values))


def _sum(digests: Sequence[str]) -> str:
    """The digest of all rows. What has a digest of another kind (a model) is one window."""
    return digests[0] if len(digests) == 1 else str(sum(map(TableDigest.parse, digests), TableDigest()))


def _node(text: str) -> _Node:
    plain = json.loads(text)
    contracts, lineages = plain["contracts"], [tuple(names) for names in plain["lineages"]]
    windows = (
        Window(key, digest, manifest, rows, at, contracts[contract], lineages[lineage])
        for key, digest, manifest, rows, at, contract, lineage in plain.get("windows", ())
    )
    children = {
        digit: Windows(root, node, count, rows, digest, at, tuple(contracts[one] for one in held), lineages[lineage])
        for digit, (root, node, count, rows, digest, at, held, lineage) in plain.get("children", {}).items()
    }
    return _Node(tuple(windows), children)
