"""Heads: the last audited version of each table and model of a build area.

An environment that was pointed at a release (promoted, rolled back, made from another) starts from what it was given:
the members of that cut are its heads, wherever they were built, until it builds something itself. Each head carries
the number of the event that the environment was pointed by when its writer began: what a slow writer commits after a
promotion was made by the code before it, and is no head.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.sql import literal
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.manifest import WHOLE, Head, InputRef, Manifest
from dataops_platform.warehouse import ledger

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEADS = "lake._dataops.heads"


@dataclass(frozen=True)
class Written:
    """A version that was made a head once."""

    environment: str
    name: str
    kind: str
    version: str
    digest: str


@dataclass(frozen=True)
class BuildArea:
    """The heads of an environment by name, and which of them it was given and has not built itself since.

    `pointer` is the number of the event that it was given them by; 0 for an environment that was never given any.
    """

    heads: Mapping[str, Head]
    given: frozenset[str]
    pointer: int


def create(connection: DuckDBPyConnection) -> None:
    """Makes the table of heads."""
    connection.execute(
        f"create table {HEADS} (environment varchar, name varchar, kind varchar, partition varchar, "
        "manifest varchar, version varchar, body varchar, pointer bigint)"
    )


def insert(connection: DuckDBPyConnection, manifests: Sequence[Manifest], version: str | None, pointer: int) -> None:
    """Writes manifests of new heads. Without a version they are of the very snapshot that commits them."""
    for m in manifests:
        connection.execute(
            f"insert into {HEADS} values ($1, $2, $3, $4, $5, $6, $7, $8)",
            [m.environment, m.name, m.kind, m.partition, m.id, version, m.to_json(), pointer],
        )


def read(connection: DuckDBPyConnection, environment: str) -> BuildArea:
    """The build area of an environment: what it was given, with all that it has built since."""
    pointer = ledger.read_pointer(connection, environment)
    rows = connection.execute(
        f"select name, partition, coalesce(version, snapshot_id::varchar), body, snapshot_id from {HEADS} "
        f"where environment = {literal(environment)} and pointer = {pointer.sequence} "
        "qualify row_number() over (partition by name, partition order by snapshot_id desc, rowid desc) = 1 "
        "order by name, snapshot_id"
    ).fetchall()
    built: dict[str, list[tuple[Manifest, str]]] = {}
    for name, _, version, body, _ in rows:
        built.setdefault(name, []).append((Manifest.from_json(body), version))
    given = heads_of_cut(connection, Cut((*pointer.cut.members, *(pointer.cut.under or ()))))
    heads = {**given, **{name: _head(found, given.get(name), environment) for name, found in built.items()}}
    return BuildArea(dict(sorted(heads.items())), frozenset(given.keys() - built.keys()), pointer.sequence)


def retire(connection: DuckDBPyConnection, environment: str) -> None:
    """Makes nothing of an environment a head any more; what was recorded can still be looked up."""
    connection.execute(
        f"update {HEADS} set version = coalesce(version, snapshot_id::varchar), pointer = -1 "
        f"where environment = {literal(environment)}"
    )


def read_last(connection: DuckDBPyConnection, environment: str, name: str) -> Manifest | None:
    """The last manifest that was recorded of a table or model, whatever the environment was pointed at since."""
    row = connection.execute(
        f"select body from {HEADS} where environment = {literal(environment)} and name = {literal(name)} "
        "order by snapshot_id desc, rowid desc limit 1"
    ).fetchone()
    return Manifest.from_json(row[0]) if row else None


def heads_of_cut(connection: DuckDBPyConnection, cut: Cut) -> dict[str, Head]:
    """The members of a cut as heads."""
    manifests = read_manifests(connection, [i for m in cut.members for i in m.manifests])
    return {
        m.name: Head(m.name, m.kind, m.version, tuple(manifests[i] for i in m.manifests), m.area) for m in cut.members
    }


def head_of_input(connection: DuckDBPyConnection, ref: InputRef) -> Head:
    """The table that a step read, as it then was. Raises: SystemFailed DP-W006 when a manifest is missing."""
    manifests = read_manifests(connection, ref.manifests)
    wanted = ", ".join(literal(i) for i in manifests)
    rows = connection.execute(
        f"select coalesce(version, snapshot_id::varchar), environment from {HEADS} where manifest in ({wanted})"
    ).fetchall()
    version, area = max(rows, key=lambda row: int(row[0]))
    return Head(ref.name, "table", version, tuple(manifests[i] for i in ref.manifests), area)


def read_manifests(connection: DuckDBPyConnection, ids: Collection[str]) -> dict[str, Manifest]:
    """Recorded manifests by their ids. Raises: SystemFailed DP-W006 when one is missing."""
    if not ids:
        return {}
    wanted = ", ".join(literal(i) for i in sorted(set(ids)))
    rows = connection.execute(f"select distinct manifest, body from {HEADS} where manifest in ({wanted})").fetchall()
    found = {manifest_id: Manifest.from_json(body) for manifest_id, body in rows}
    for missing in set(ids) - found.keys():
        raise SystemFailed("DP-W006", manifest=missing)
    return found


def written_since(connection: DuckDBPyConnection, moment: str) -> list[Written]:
    """What became a head at or after a moment (ISO format, UTC), and what each of these replaced."""
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
    """Where what recorded manifests describe was written, by their ids."""
    if not ids:
        return {}
    wanted = ", ".join(literal(i) for i in sorted(set(ids)))
    rows = connection.execute(
        "select manifest, environment, name, kind, coalesce(version, snapshot_id::varchar), body ->> '$.digest' "
        f"from {HEADS} where manifest in ({wanted}) order by snapshot_id"
    ).fetchall()
    return {manifest: Written(*row) for manifest, *row in rows}


def find_run(connection: DuckDBPyConnection, beginning: str, environment: str = "") -> dict[str, list[Manifest]]:
    """What runs recorded whose ids begin so, oldest first; in one environment where that is given."""
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
    """What dbt made together with any of these: it makes all its models, or none."""
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
    """The names of all models that were ever trained."""
    rows = connection.execute(f"select distinct name from {HEADS} where kind = 'model' order by 1").fetchall()
    return [name for (name,) in rows]


def read_trained(connection: DuckDBPyConnection, model: str, digest: str) -> Manifest | None:
    """The last training that made a model of this content, wherever; None when none ever did."""
    rows = connection.execute(
        f"select body from {HEADS} where kind = 'model' and name = {literal(model)} "
        "order by snapshot_id desc, rowid desc"
    ).fetchall()
    return next((m for m in (Manifest.from_json(body) for (body,) in rows) if m.digest == digest), None)


def read_environments(connection: DuckDBPyConnection) -> list[str]:
    """The environments in which anything was ever built."""
    return [name for (name,) in connection.execute(f"select distinct environment from {HEADS} order by 1").fetchall()]


def _head(built: Iterable[tuple[Manifest, str]], given: Head | None, environment: str) -> Head:
    """One head of the newest manifest of each partition; what has no partitions replaces what has some, and back."""
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
