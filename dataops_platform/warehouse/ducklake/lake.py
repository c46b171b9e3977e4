"""The lake behind the warehouse protocol.

A table's version is the number of the snapshot that committed it. A head row is written in the very transaction that
writes the rows, and its own `snapshot_id` (kept by DuckLake per row) is that number: no number is guessed, none can
be renumbered by a retried commit, and rows and head become visible together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.clock import Clock, utc_now
from dataops_platform.kit.errors import LostRace, SystemFailed
from dataops_platform.kit.faults import fault_point
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.manifest import WHOLE, Head, Kind, Manifest
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.warehouse.ducklake import ledger
from dataops_platform.warehouse.ducklake.attach import LakeLocation, another, attach, no_lake
from dataops_platform.warehouse.ducklake.digest import digests
from dataops_platform.warehouse.ducklake.lock import WriteLock
from dataops_platform.warehouse.ducklake.staging import LakeStaging, qualified
from dataops_platform.warehouse.protocol import State

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dataops_platform.warehouse.protocol import Staging, Warehouse

PLATFORM = "_dataops"
"""The schema of the platform's own tables: `heads` and `ledger`, and one head view per environment."""

INLINED_ROWS = 10
"""Inserts up to so many rows into the platform's own tables stay in the catalog. Rows of users never do: DuckLake 1.0
loses quotes and backslashes inside a STRUCT on their way there, and a NUL inside a list breaks the commit."""

_HEADS = f"lake.{PLATFORM}.heads"
_UNFINISHED = f"lake.{PLATFORM}.unfinished"


class Lake:
    """A connection to the lake. Close it, or use it in a `with` statement."""

    def __init__(self, connection: DuckDBPyConnection, lock: WriteLock, clock: Clock = utc_now) -> None:
        self.connection = connection
        self.lock = lock
        self.clock = clock

    def __enter__(self) -> Lake:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self, fault: str = "") -> Iterator[None]:
        """One transaction, committed at the end or rolled back whole; alone on a SQLite catalog.

        `fault` names fault points: `<fault>.before_commit` and `<fault>.after_commit` are passed around the commit.
        Raises: LostRace DP-W004 when another writer changed the same things first.
        """
        import duckdb

        with self.lock.held():
            self.connection.execute("begin transaction")
            try:
                yield
                if fault:
                    fault_point(f"{fault}.before_commit")
                self.connection.execute("commit")
            except BaseException as error:
                _roll_back(self.connection)
                if isinstance(error, duckdb.TransactionException) and _is_conflict(error):
                    raise LostRace(
                        "DP-W004",
                        "another process changed the same table or environment at the same time",
                        fix="nothing was written; run the command again",
                    ) from error
                raise
            if fault:
                fault_point(f"{fault}.after_commit")

    def heads(self, environment: str) -> dict[str, Head]:
        """The last audited version of every table and model of a build area, by name."""
        rows = self.connection.execute(
            f"select name, partition, coalesce(version, snapshot_id::varchar), body, snapshot_id from {_HEADS} "
            f"where environment = {literal(environment)} "
            "qualify row_number() over (partition by name, partition order by snapshot_id desc, rowid desc) = 1 "
            "order by name, snapshot_id"
        ).fetchall()
        by_name: dict[str, list[tuple[str, str, str]]] = {}
        for name, partition, version, body, _ in rows:
            known = by_name.setdefault(name, [])
            if known and (partition == WHOLE) != (known[0][0] == WHOLE):
                known.clear()
            known.append((partition, version, body))
        return {name: _head(name, found) for name, found in by_name.items()}

    def manifest(self, manifest_id: str) -> Manifest:
        """A recorded manifest. Raises: SystemFailed DP-W006 when there is none."""
        row = self.connection.execute(
            f"select body from {_HEADS} where manifest = {literal(manifest_id)} limit 1"
        ).fetchone()
        if row is None:
            raise SystemFailed("DP-W006", f"the lake keeps no manifest {manifest_id}")
        return Manifest.from_json(row[0])

    def relation(self, environment: str, head: Head) -> str:
        """SQL that reads a head's version of a table, `_dp_*` columns included."""
        return f"{qualified(f'{environment}__build', head.name)} at (version => {int(head.version)})"

    @contextmanager
    def exclusive(self, environment: str) -> Iterator[None]:
        """Keeps every other foreign writer (dbt) of an environment out; on SQLite every other writer at all."""
        with self.lock.held(), self.lock.advisory(environment):
            yield

    @contextmanager
    def stage(self, environment: str, table: str) -> Iterator[LakeStaging]:
        """A write of one table of a build area in one transaction."""
        schema = f"{environment}__build"
        fault_point("stage.before_write")
        self._make_build_area(schema)
        with self.transaction("stage"):
            yield LakeStaging(self.connection, schema, table, self._insert_heads)

    def record(self, manifests: Sequence[Manifest], version: str) -> None:
        """Makes a model version, or a table as it was at snapshot `version`, the head."""
        with self.transaction():
            self._insert_heads(manifests, version)

    def adopt(self, manifests: Sequence[Manifest], version: str, writer: str) -> None:
        """Makes tables that another writer (dbt) committed heads, as they were at snapshot `version`, all at once."""
        with self.transaction("adopt"):
            self._insert_heads(manifests, version)
            for environment in {m.environment for m in manifests}:
                self._end_foreign_write(environment, writer)

    def foreign_digest(self, environment: str, table: str) -> TableDigest | None:
        """The digest of a table that has no head because another program writes it.

        None when there is no such table, or when a foreign write in this build area is not finished: it may be half
        of that.
        """
        schema = f"{environment}__build"
        found = self.connection.execute(
            f"select 1 from duckdb_tables() where database_name = 'lake' and schema_name = {literal(schema)} "
            f"and table_name = {literal(table)} "
            f"and not exists (select 1 from {_UNFINISHED} where environment = {literal(environment)})"
        ).fetchone()
        return digests(self.connection, qualified(schema, table), [WHOLE])[WHOLE] if found else None

    def begin_foreign_write(self, environment: str, writer: str) -> str:
        """Notes that another writer (dbt) begins to change tables; gives the snapshot before it."""
        with self.transaction():
            self.connection.execute(
                f"insert into {_UNFINISHED} values ($environment, $writer)",
                {"environment": environment, "writer": writer},
            )
        return self.current_version()

    def is_foreign_write_unfinished(self, environment: str, writer: str) -> bool:
        """Whether a foreign write began and neither was adopted nor restored: its process died."""
        return bool(
            self.connection.execute(
                f"select 1 from {_UNFINISHED} where environment = {literal(environment)} "
                f"and writer = {literal(writer)} limit 1"
            ).fetchone()
        )

    def restore(self, environment: str, tables: Sequence[str], writer: str) -> None:
        """Puts tables back to their heads, and removes those that never had one; ends a foreign write."""
        schema = f"{environment}__build"
        with self.transaction("restore"):
            heads = self.heads(environment)
            for table in tables:
                target = qualified(schema, table)
                if table in heads:
                    self.connection.execute(
                        f"create or replace table {target} as select * from {self.relation(environment, heads[table])}"
                    )
                else:
                    self.connection.execute(f"drop table if exists {target}")
            self._end_foreign_write(environment, writer)

    def _end_foreign_write(self, environment: str, writer: str) -> None:
        self.connection.execute(
            f"delete from {_UNFINISHED} where environment = $environment and writer = $writer",
            {"environment": environment, "writer": writer},
        )

    def current_version(self) -> str:
        """The number of the last committed snapshot."""
        row = self.connection.execute("from ducklake_current_snapshot('lake')").fetchone()
        return str(row[0]) if row else "0"

    def state(self, environment: str) -> State:
        """What an environment shows now; sequence 0 when nothing was ever published."""
        return ledger.read_state(self.connection, environment)

    def events(self, environment: str) -> list[Mapping[str, Any]]:
        """The ledger of an environment, oldest first."""
        return ledger.read_events(self.connection, environment)

    def switch(self, environment: str, cut: Cut, expected: State, event: Mapping[str, Any]) -> State:
        """Shows `cut` instead of `expected`: views, model pointers and ledger in one transaction."""
        fault_point("publish.before_write")
        with self.transaction("publish"):
            now = self.state(environment)
            if now.hash != expected.hash:
                raise LostRace(
                    "DP-W004",
                    f"{environment} was moved to publication {now.publication[7:19]} meanwhile",
                    fix="nothing was changed; look at it and run the command again",
                )
            self.create_schema(environment)
            self._point_views(environment, expected.cut, cut)
            return ledger.append(self.connection, environment, now, cut, event, self.clock())

    def create_schema(self, name: str) -> None:
        """Creates a schema when it is not there. A create that changes nothing would still conflict with a rival."""
        if not self._has_schema(name):
            self.connection.execute(f"create schema lake.{identifier(name)}")

    def _make_build_area(self, schema: str) -> None:
        """Once per environment, and apart: its first writers would all conflict, whatever tables they write."""
        if not self._has_schema(schema):
            with self.lock.held(), self.lock.advisory("make a build area"), self.transaction():
                self.create_schema(schema)

    def _has_schema(self, name: str) -> bool:
        found = self.connection.execute(
            f"select 1 from duckdb_schemas() where database_name = 'lake' and schema_name = {literal(name)}"
        ).fetchone()
        return found is not None

    def _point_views(self, environment: str, before: Cut, after: Cut) -> None:
        for member in after.members:
            if member.kind == "table":
                source = qualified(f"{environment}__build", member.name)
                pinned = f"{source} at (version => {int(member.version)})"
                described = self.connection.execute(f"describe select * from {pinned}").fetchall()
                columns = ", ".join(identifier(name) for name, *_ in described if not name.startswith("_dp_"))
                self.connection.execute(
                    f"create or replace view {qualified(environment, member.name)} as select {columns} from {pinned}"
                )
        for member in before.members:
            if member.kind == "table" and after.member(member.name) is None:
                self.connection.execute(f"drop view if exists {qualified(environment, member.name)}")

    def _insert_heads(self, manifests: Sequence[Manifest], version: str | None = None) -> None:
        for m in manifests:
            self.connection.execute(
                f"insert into {_HEADS} values ($1, $2, $3, $4, $5, $6, $7)",
                [m.environment, m.name, m.kind, m.partition, m.id, version, m.to_json()],
            )


_attached: ContextVar[dict[LakeLocation, DuckDBPyConnection] | None] = ContextVar("attached", default=None)


@contextmanager
def attached_once() -> Iterator[None]:
    """Inside, all who open one lake to write share one attached DuckDB, each with a connection of its own to it.

    Attaching takes a quarter of a second, which every step of a run would else pay.
    """
    connections: dict[LakeLocation, DuckDBPyConnection] = {}
    token = _attached.set(connections)
    try:
        yield
    finally:
        _attached.reset(token)
        for connection in connections.values():
            connection.close()


def open_lake(location: LakeLocation, *, read_only: bool = False, clock: Clock = utc_now) -> Lake:
    """The lake at a location; made there first when it is missing and `read_only` is off.

    Raises: what `attach` raises; also DP-W001 for a lake that its first process has not finished making.
    """
    lock = WriteLock(location)
    shared = None if read_only else _attached.get()
    if shared is not None and location in shared:
        return Lake(another(shared[location]), lock, clock)
    if read_only:
        connection = attach(location, read_only=True)
        if not _is_prepared(connection):
            connection.close()
            raise no_lake(location)
        return Lake(connection, lock, clock)
    with lock.held(), lock.advisory("open the lake"):
        lake = Lake(attach(location), lock, clock)
        if not _is_prepared(lake.connection):
            _prepare(lake)
    if shared is not None:
        shared[location] = lake.connection
        return Lake(another(lake.connection), lock, clock)
    return lake


if TYPE_CHECKING:
    _lake_is_a_warehouse: type[Warehouse] = Lake
    _its_writes_are_staging: type[Staging] = LakeStaging


def _is_prepared(connection: DuckDBPyConnection) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() "
            f"where database_name = 'lake' and schema_name = '{PLATFORM}' and table_name = 'heads'"
        ).fetchone()
    )


def _prepare(lake: Lake) -> None:
    with lake.transaction():
        lake.create_schema(PLATFORM)
    lake.connection.execute("call lake.set_option('data_inlining_row_limit', 0)")
    lake.connection.execute(f"call lake.set_option('data_inlining_row_limit', {INLINED_ROWS}, schema => '{PLATFORM}')")
    with lake.transaction():
        lake.connection.execute(
            f"create table {_HEADS} (environment varchar, name varchar, kind varchar, partition varchar, "
            "manifest varchar, version varchar, body varchar)"
        )
        lake.connection.execute(f"create table {_UNFINISHED} (environment varchar, writer varchar)")
        ledger.create(lake.connection)


def _head(name: str, rows: Sequence[tuple[str, str, str]]) -> Head:
    manifests = tuple(Manifest.from_json(body) for _, _, body in sorted(rows, key=lambda row: row[0]))
    kind: Kind = manifests[0].kind
    newest: Callable[[tuple[str, str, str]], int] = lambda row: int(row[1])  # noqa: E731
    return Head(name, kind, max(rows, key=newest)[1], manifests)


def _is_conflict(error: Exception) -> bool:
    text = str(error).lower()
    return any(sign in text for sign in ("conflict", "could not serialize", "database is locked"))


def _roll_back(connection: DuckDBPyConnection) -> None:
    import duckdb

    try:
        connection.execute("rollback")
    except duckdb.Error:
        return  # the failed commit has already ended the transaction
