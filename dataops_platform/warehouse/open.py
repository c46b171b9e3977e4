"""Opening a lake: where the lake of a project is, and how a new one is prepared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

from dataops_platform.kit.clock import Clock, utc_now
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.signatures import sign
from dataops_platform.settings.environ import ledger_key
from dataops_platform.settings.project import Project
from dataops_platform.warehouse import documents, foreign_write, heads, ledger, nodes
from dataops_platform.warehouse.attach import LakeLocation, another, attach, no_lake
from dataops_platform.warehouse.lake import Lake, Sign
from dataops_platform.warehouse.lock import WriteLock

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PLATFORM = "_dataops"
"""The schema of the platform's own tables (`heads`, `ledger`, `nodes`, `documents`, `unfinished`) and of a head view
for each environment."""

INLINED_ROWS = 10
"""Inserts of up to this many rows into the platform's own tables stay in the catalog. Rows of users never do: DuckLake
1.0 loses quotes and backslashes inside a STRUCT on their way there, and a NUL inside a list breaks the commit."""

_attached: ContextVar[dict[LakeLocation, DuckDBPyConnection] | None] = ContextVar("attached", default=None)


def lake_location(project: Project) -> LakeLocation:
    """Return where the project's lake is. Paths in `dataops.yaml` start at the project's folder."""
    settings = project.settings.lake
    kind, _, rest = settings.catalog.partition(":")
    catalog = f"sqlite:{(project.home / rest).resolve()}" if kind == "sqlite" else settings.catalog
    data = settings.data if "://" in settings.data else str((project.home / settings.data).resolve())
    return LakeLocation(catalog, data, project.state_dir / "extensions", project.state_dir / "anchors")


def lake_of(project: Project, *, read_only: bool = False, clock: Clock = utc_now) -> Lake:
    """Open the project's lake. Its ledger is signed where `DATAOPS_LEDGER_KEY` names a key."""
    key = None if read_only else ledger_key()
    signs = partial(sign, key) if key else None
    return open_lake(lake_location(project), read_only=read_only, clock=clock, sign=signs)


@contextmanager
def lake_if_made(project: Project) -> Iterator[Lake | None]:
    """Open the project's lake read-only. Yield None where nothing has run yet."""
    try:
        lake = lake_of(project, read_only=True)
    except UsedWrongly as error:
        if error.code != "DP-W001":
            raise
        yield None
        return
    with lake:
        yield lake


@contextmanager
def attached_once() -> Iterator[None]:
    """Share one attached DuckDB among all openings of a lake inside, each with a connection of its own.

    The first opening that may write attaches it. Attaching takes a quarter of a second, which every step of a run would
    otherwise pay.
    """
    if _attached.get() is not None:
        yield
        return
    connections: dict[LakeLocation, DuckDBPyConnection] = {}
    token = _attached.set(connections)
    try:
        yield
    finally:
        _attached.reset(token)
        for connection in connections.values():
            connection.close()


def open_lake(
    location: LakeLocation, *, read_only: bool = False, clock: Clock = utc_now, sign: Sign | None = None
) -> Lake:
    """Open the lake at a location. Unless `read_only`, create a missing lake.

    `sign` returns the signature of a text; the ledger's events are signed with it.

    Raises: what `attach` raises; also DP-W001 for a lake that its first process has not finished making.
    """
    lock = WriteLock(location)
    shared = _attached.get()
    if shared is not None and location in shared:
        return Lake(another(shared[location]), lock, clock, location.anchors, sign)
    if read_only:
        connection = attach(location, read_only=True)
        if not _is_prepared(connection):
            connection.close()
            raise no_lake(location)
        return Lake(connection, lock, clock, location.anchors)
    with lock.held(), lock.advisory("open the lake"):
        lake = Lake(attach(location), lock, clock, location.anchors, sign)
        if not _is_prepared(lake.connection):
            _prepare(lake)
    if shared is not None:
        shared[location] = lake.connection
        return Lake(another(lake.connection), lock, clock, location.anchors, sign)
    return lake


def _is_prepared(connection: DuckDBPyConnection) -> bool:
    """Return whether the platform's tables exist. Raises: UsedWrongly DP-W013 for tables of an earlier version.

    Reads DuckLake's own tables: `duckdb_columns()` would bind every view of the lake, 7 ms each.
    Source: https://ducklake.select/docs/stable/specification/tables/overview
    """
    found = connection.execute(
        "select column_name from __ducklake_metadata_lake.ducklake_column as c "
        "join __ducklake_metadata_lake.ducklake_table as t using (table_id) "
        "join __ducklake_metadata_lake.ducklake_schema as s using (schema_id) "
        f"where schema_name = '{PLATFORM}' and table_name = 'heads' "
        "and coalesce(c.end_snapshot, t.end_snapshot, s.end_snapshot) is null"
    ).fetchall()
    if found and {name for (name,) in found} != heads.COLUMNS.keys():
        connection.close()
        raise UsedWrongly("DP-W013")
    return bool(found)


def _prepare(lake: Lake) -> None:
    with lake.transaction():
        lake.create_schema(PLATFORM)
    lake.connection.execute("call lake.set_option('data_inlining_row_limit', 0)")
    lake.connection.execute(f"call lake.set_option('data_inlining_row_limit', {INLINED_ROWS}, schema => '{PLATFORM}')")
    with lake.transaction():
        heads.create(lake.connection)
        foreign_write.create(lake.connection)
        ledger.create(lake.connection)
        documents.create(lake.connection)
        nodes.create(lake.connection)
