"""The windows of a table as a Merkle tree. Two trees share all nodes but those on the paths to windows that differ.

A node of at most `LEAF` windows is a leaf. A larger one has a child for each hexadecimal digit that the digests of its
windows' keys have at its depth. So the tree depends on the set of windows, not on their order, and one more window
changes one node at each depth. Nodes are stored as texts under the digest of their bytes.
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
"""The most windows of a leaf."""

Fetch = Callable[[Collection[str]], Mapping[str, str]]
"""Returns the texts of stored nodes by their digests."""


@dataclass(frozen=True)
class Window:
    """One window: its key (empty: the whole table), the digest of its content and the id of its manifest.

    The other fields are the manifest's: the audited rows, when it was recorded, the contract's digest, and the names of
    all tables that the window was made from.
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
    """A tree in summary. `root` is the Merkle root over keys and digests; `node` also covers the manifests.

    `node` is the digest of the root node's text, and `digest` that of all rows. `recorded_at` is the latest of all
    windows; `contracts` and `lineage` are those of all windows, sorted.
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
    """A tree, and the texts of the nodes that were made for it, by digest."""

    windows: Windows
    nodes: Mapping[str, str]


def plant(windows: Iterable[Window]) -> Planted:
    """Return the tree of these windows. Of two windows with one key the last counts."""
    return _plant(list({window.key: window for window in windows}.values()), 0)


def grow(before: Windows, windows: Iterable[Window], fetch: Fetch) -> Planted:
    """Return the tree with these windows, in place of those with the same keys. Fetches only the nodes on the way."""
    new = {window.key: window for window in windows}
    return _grow(before, list(new.values()), 0, fetch) if new else Planted(before, {})


def read_windows(windows: Windows, fetch: Fetch) -> list[Window]:
    """Return all windows in order of their keys. Fetches the nodes of one depth together."""
    return read_trees([windows.node], fetch)[windows.node]


def read_trees(roots: Collection[str], fetch: Fetch) -> dict[str, list[Window]]:
    """Return the windows below each of some nodes, in order of their keys. Fetches one depth of all trees together."""
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
    """Return the digests of some nodes and of all nodes below them."""
    found: set[str] = set()
    todo = set(names)
    while todo:
        found |= todo
        todo = {child.node for text in fetch(todo).values() for child in _node(text).children.values()} - found
    return found


def differing(pairs: Mapping[str, tuple[Windows, Windows]], fetch: Fetch) -> dict[str, set[str]]:
    """Return, for each pair of trees, the keys of windows that only one has, or that differ in content.

    Fetches only what differs, one depth of all pairs at a time.
    """
    found: dict[str, set[str]] = {name: set() for name in pairs}
    todo = [(name, *pair) for name, pair in pairs.items()]
    while todo := [(name, one, other) for name, one, other in todo if one.root != other.root]:
        texts = fetch({side.node for _, *pair in todo for side in pair})
        looked_at = [(name, _node(texts[one.node]), _node(texts[other.node])) for name, one, other in todo]
        todo = []
        for name, one, other in looked_at:
            if one.children and other.children:
                both = one.children.keys() & other.children.keys()
                todo += [(name, one.children[digit], other.children[digit]) for digit in both]
                alone = [side.children[digit] for side in (one, other) for digit in side.children.keys() - both]
                found[name] |= {window.key for child in alone for window in read_windows(child, fetch)}
            else:
                found[name] |= _unlike(_contents(one, fetch), _contents(other, fetch))
    return found


@dataclass(frozen=True)
class _Node:
    """A node: a leaf has windows, any other has children by their digit."""

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
    """Return the digest of all rows. A digest of another kind (a model's) is that of its only window."""
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
