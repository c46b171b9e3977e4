"""Heads: the last audited version of each table and model of a build area.

An environment that is pointed at a release (promoted, rolled back, made from another) inherits the members of that cut
as its heads, wherever they were built, until it builds its own. Each row of the table of heads carries the sequence of
the event by which the environment was pointed when the row's writer began. A slow writer may commit after a promotion,
but was made by the code before it: its row is no head.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.digests import canonical_json
from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.record import plain_of, record_of
from dataops_platform.kit.sql import literal
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.manifest import WHOLE, Head, InputRef, Manifest
from dataops_platform.manifests.windows import Planted, Windows, grow, plant, read_trees, read_windows
from dataops_platform.warehouse import ledger, nodes

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEADS = "lake._dataops.heads"
COLUMNS = {
    **dict.fromkeys(("environment", "name", "kind", "partition", "manifest", "version", "body"), "varchar"),
    "pointer": "bigint",
    "windows": "varchar",
    "seen": "bigint",
}
READ_TOGETHER = 1000
"""The most windows of the heads of an environment whose manifests are all read in one query."""


@dataclass(frozen=True)
class Written:
    """A version that was a head once."""

    environment: str
    name: str
    kind: str
    version: str
    digest: str


@dataclass(frozen=True)
class BuildArea:
    """The heads of a build area by name.

    `given` are the names of inherited heads, which the environment has not built itself since. `pointer` is the
    sequence of the event by which it inherited them, 0 when there was none. `seen` has the snapshot of the last row of
    each table that it has built.
    """

    heads: Mapping[str, Head]
    given: frozenset[str]
    pointer: int
    seen: Mapping[str, int]


class Recorded(Sequence[Manifest]):
    """The manifests of a tree of windows in order of their keys, read from the lake on first use.

    The first use reads the manifests of all trees of its `group`, unless these are many: one query for all costs as
    much as a query for one.
    """

    def __init__(self, connection: DuckDBPyConnection, windows: Windows, group: list[Recorded]) -> None:
        self.connection = connection
        self.windows = windows
        self.group = group
        self.loaded: tuple[Manifest, ...] | None = None
        group.append(self)

    @property
    def _all(self) -> tuple[Manifest, ...]:
        if self.loaded is None:
            few = sum(one.windows.count for one in self.group) <= READ_TOGETHER
            load(self.connection, self.group if few else [self])
        return self.loaded or ()

    def __getitem__(self, index: Any) -> Any:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all)


def create(connection: DuckDBPyConnection) -> None:
    """Create the table of heads."""
    connection.execute(f"create table {HEADS} ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")


def insert(connection: DuckDBPyConnection, area: BuildArea, manifests: Sequence[Manifest], version: str | None) -> None:
    """Write the rows of new heads, which follow the heads of `area`.

    Without `version` they belong to the snapshot that commits them. Each row has the tree of its table's windows at
    that time, and the snapshot of the last row that its writer saw: so rows that were written side by side are noticed.
    """
    for name in dict.fromkeys(manifest.name for manifest in manifests):
        own = [manifest for manifest in manifests if manifest.name == name]
        planted = _planted(connection, area.heads.get(name), own)
        nodes.put(connection, planted.nodes.values())
        windows = canonical_json(plain_of(planted.windows))
        for m in own:
            connection.execute(
                f"insert into {HEADS} values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                [
                    *(m.environment, m.name, m.kind, m.partition, m.id, version, m.to_json()),
                    *(area.pointer, windows, area.seen.get(name, 0)),
                ],
            )


def _planted(connection: DuckDBPyConnection, before: Head | None, new: Sequence[Manifest]) -> Planted:
    """Return the tree after `new` is written.

    A write of the whole table replaces all its windows, and a write of windows replaces a whole table.
    """
    windows = [manifest.window for manifest in new]
    fetch = partial(nodes.read, connection)
    if before is None or WHOLE in (window.key for window in windows):
        return plant(windows)
    if before.windows.count == 1 and read_windows(before.windows, fetch)[0].key == WHOLE:
        return plant(windows)
    return grow(before.windows, windows, fetch)


def read(connection: DuckDBPyConnection, environment: str, names: Collection[str] | None = None) -> BuildArea:
    """Return the build area of an environment: the heads it inherited, replaced by those it has built since.

    With `names`, only these heads.
    """
    pointer = ledger.read_pointer(connection, environment)
    here = f"environment = {literal(environment)} and pointer = {pointer.sequence}"
    if names is not None:
        here += f" and name in ({', '.join(map(literal, names))})"
    rows = connection.execute(
        f"with own as (select name, snapshot_id as written, rowid as number, seen from {HEADS} where {here}), "
        "last as (select name, max(row(written, number)) as newest from own group by name) "
        "select name, kind, coalesce(version, snapshot_id::varchar), windows, snapshot_id, exists (select 1 from own "
        "where own.name = heads.name and own.written > heads.seen and own.written < heads.snapshot_id) "
        f"from {HEADS} as heads where {here} and (name, row(snapshot_id, rowid)) in (select (name, newest) from last)"
    ).fetchall()
    members = (*pointer.cut.members, *(pointer.cut.under or ()))
    given = heads_of_cut(connection, Cut(tuple(m for m in members if names is None or m.name in names)))
    built: dict[str, Head] = {}
    group: list[Recorded] = []
    for name, kind, version, text, _, is_overtaken in rows:
        windows = record_of(Windows, json.loads(text))
        built[name] = Head(name, kind, version, Recorded(connection, windows, group), environment, windows)
        if is_overtaken:
            built[name] = _merged(connection, environment, pointer.sequence, name, given.get(name))
    heads = {**given, **built}
    seen = {name: written for name, _, _, _, written, _ in rows}
    return BuildArea(dict(sorted(heads.items())), frozenset(given.keys() - built.keys()), pointer.sequence, seen)


def load(connection: DuckDBPyConnection, wanted: Iterable[Sequence[Manifest]]) -> None:
    """Read the manifests of many heads together, instead of each head's on first use."""
    recorded = [one for one in wanted if isinstance(one, Recorded) and one.loaded is None]
    trees = read_trees({one.windows.node for one in recorded}, partial(nodes.read, connection))
    manifests = read_manifests(connection, {window.manifest for windows in trees.values() for window in windows})
    for one in recorded:
        one.loaded = tuple(manifests[window.manifest] for window in trees[one.windows.node])


def _merged(connection: DuckDBPyConnection, environment: str, pointer: int, name: str, given: Head | None) -> Head:
    """Return the head of a table to which two writers added windows side by side.

    It is made from all rows, because neither writer's tree has the windows of both.
    """
    rows = connection.execute(
        f"select coalesce(version, snapshot_id::varchar), body from {HEADS} where environment = {literal(environment)} "
        f"and pointer = {pointer} and name = {literal(name)} "
        "qualify row_number() over (partition by partition order by snapshot_id desc, rowid desc) = 1 "
        "order by snapshot_id, rowid"
    ).fetchall()
    return _head([(Manifest.from_json(body), version) for version, body in rows], given, environment)


def retire(connection: DuckDBPyConnection, environment: str) -> None:
    """End all heads of an environment; their manifests can still be looked up."""
    connection.execute(
        f"update {HEADS} set version = coalesce(version, snapshot_id::varchar), pointer = -1 "
        f"where environment = {literal(environment)}"
    )


def read_last(connection: DuckDBPyConnection, environment: str, name: str) -> Manifest | None:
    """Return the last manifest of a table or model, under whatever release it was recorded, or None."""
    row = connection.execute(
        f"select body from {HEADS} where environment = {literal(environment)} and name = {literal(name)} "
        "order by snapshot_id desc, rowid desc limit 1"
    ).fetchone()
    return Manifest.from_json(row[0]) if row else None


def heads_of_cut(connection: DuckDBPyConnection, cut: Cut) -> dict[str, Head]:
    """Return the members of a cut as heads, by name."""
    group: list[Recorded] = []
    return {
        m.name: Head(m.name, m.kind, m.version, Recorded(connection, m.windows, group), m.area, m.windows)
        for m in cut.members
    }


def manifests_of_input(connection: DuckDBPyConnection, ref: InputRef) -> tuple[Manifest, ...]:
    """Return the manifests of an input of a step. Raises: SystemFailed DP-W006 when one is missing."""
    found = read_manifests(connection, ids_of_inputs(connection, [ref]))
    return tuple(found.values())


def ids_of_inputs(connection: DuckDBPyConnection, refs: Iterable[InputRef]) -> set[str]:
    """Return the ids of the manifests of inputs."""
    refs = list(refs)
    trees = {ref.node for ref in refs if ref.node}
    inside = read_trees(trees, partial(nodes.read, connection)).values()
    return {*(i for ref in refs for i in ref.manifests), *(w.manifest for windows in inside for w in windows)}


def trees_in_use(connection: DuckDBPyConnection) -> set[str]:
    """Return the root nodes of the trees of all heads, past ones included, and of all inputs in recorded manifests."""
    rows = connection.execute(
        f"(select windows ->> '$.node' from {HEADS} qualify row_number() over "
        "(partition by environment, name, pointer order by snapshot_id desc, rowid desc) = 1) union "
        f"(select unnest(json_extract_string(body, '$.step.inputs[*].node')) from {HEADS})"
    ).fetchall()
    return {node for (node,) in rows if node}


def head_of_input(connection: DuckDBPyConnection, ref: InputRef) -> Head:
    """Return the table that a step read, as it was then. Raises: SystemFailed DP-W006 when a manifest is missing."""
    manifests = manifests_of_input(connection, ref)
    wanted = ", ".join(literal(m.id) for m in manifests)
    rows = connection.execute(
        f"select coalesce(version, snapshot_id::varchar), environment from {HEADS} where manifest in ({wanted})"
    ).fetchall()
    version, area = max(rows, key=lambda row: int(row[0]))
    return Head(ref.name, "table", version, sorted(manifests, key=lambda m: m.partition), area)


def read_manifests(connection: DuckDBPyConnection, ids: Collection[str]) -> dict[str, Manifest]:
    """Return recorded manifests by id. Raises: SystemFailed DP-W006 when one is missing."""
    if not ids:
        return {}
    rows = connection.execute(
        f"select distinct manifest, body from {HEADS} where manifest in (select unnest($ids))", {"ids": list(set(ids))}
    ).fetchall()
    found = {manifest_id: Manifest.from_json(body) for manifest_id, body in rows}
    for missing in set(ids) - found.keys():
        raise SystemFailed("DP-W006", manifest=missing)
    return found


def written_since(connection: DuckDBPyConnection, moment: str) -> list[Written]:
    """Return the versions that became heads at or after a moment (ISO format, UTC), and the ones before these."""
    rows = connection.execute(
        "with written as (select environment, name, kind, coalesce(version, snapshot_id::varchar) as version, "
        "body ->> '$.digest' as digest, body ->> '$.recorded_at' as moment, snapshot_id, rowid as number "
        f"from {HEADS}), recent as (from written where moment >= {literal(moment)}) "
        "select environment, name, kind, version, digest from recent union "
        "(select environment, name, kind, version, digest from written "
        f"where moment < {literal(moment)} and (environment, name) in (select (environment, name) from recent) "
        "qualify row_number() over (partition by environment, name order by snapshot_id desc, number desc) = 1)"
    ).fetchall()
    return [Written(*row) for row in rows]


def locate_manifests(connection: DuckDBPyConnection, ids: Collection[str]) -> dict[str, Written]:
    """Return, by manifest id, the version that each recorded manifest describes."""
    if not ids:
        return {}
    wanted = ", ".join(literal(i) for i in sorted(set(ids)))
    rows = connection.execute(
        "select manifest, environment, name, kind, coalesce(version, snapshot_id::varchar), body ->> '$.digest' "
        f"from {HEADS} where manifest in ({wanted}) order by snapshot_id"
    ).fetchall()
    return {manifest: Written(*row) for manifest, *row in rows}


def find_run(connection: DuckDBPyConnection, beginning: str, environment: str = "") -> dict[str, list[Manifest]]:
    """Return the manifests of runs whose ids start with `beginning`, by run id, oldest first.

    An empty `environment` stands for all.
    """
    here = f"and environment = {literal(environment)} " if environment else ""
    rows = connection.execute(
        f"select body from {HEADS} where starts_with(body ->> '$.run_id', {literal(beginning)}) {here}"
        "order by snapshot_id, rowid"
    ).fetchall()
    found: dict[str, list[Manifest]] = {}
    for (body,) in rows:
        manifest = Manifest.from_json(body)
        found.setdefault(manifest.run_id, []).append(manifest)
    return found


def siblings_of(connection: DuckDBPyConnection, manifests: Collection[Manifest]) -> list[Manifest]:
    """Return the manifests of all models that dbt made together with any of these: it makes all its models, or none."""
    runs = {m.run_id for m in manifests if m.stage == "transform"}
    codes = {m.step.code for m in manifests if m.stage == "transform"}
    if not runs:
        return []
    rows = connection.execute(
        f"select body from {HEADS} where (body ->> '$.stage') = 'transform' "
        f"and (body ->> '$.run_id') in ({', '.join(map(literal, sorted(runs)))})"
    ).fetchall()
    found = [Manifest.from_json(body) for (body,) in rows]
    return [m for m in found if m.step.code in codes]


def read_models(connection: DuckDBPyConnection) -> list[str]:
    """Return the names of all models that were ever trained, sorted."""
    rows = connection.execute(f"select distinct name from {HEADS} where kind = 'model' order by 1").fetchall()
    return [name for (name,) in rows]


def read_trained(connection: DuckDBPyConnection, model: str, digest: str) -> Manifest | None:
    """Return the manifest of the last training, in any environment, that made a model of this content, or None."""
    rows = connection.execute(
        f"select body from {HEADS} where kind = 'model' and name = {literal(model)} "
        "order by snapshot_id desc, rowid desc"
    ).fetchall()
    return next((m for m in (Manifest.from_json(body) for (body,) in rows) if m.digest == digest), None)


def read_built_environments(connection: DuckDBPyConnection) -> list[str]:
    """Return the environments in which anything was ever built, sorted by name."""
    return [name for (name,) in connection.execute(f"select distinct environment from {HEADS} order by 1").fetchall()]


def _head(built: Iterable[tuple[Manifest, str]], given: Head | None, environment: str) -> Head:
    """Return one head with the newest manifest of each partition. `built` is in order, oldest first.

    A manifest of the whole table replaces those of all partitions, and one of a partition replaces that of the whole.
    """
    partitions: dict[str, Manifest] = dict(given.partitions) if given else {}
    versions: list[str] = []
    for manifest, version in built:
        if (manifest.partition == WHOLE) != (WHOLE in partitions) or manifest.kind == "model":
            partitions.clear()
            versions.clear()
        partitions[manifest.partition] = manifest
        versions.append(version)
    manifests = tuple(partitions[key] for key in sorted(partitions))
    return Head(manifests[0].name, manifests[0].kind, max(versions, key=int), manifests, environment)
