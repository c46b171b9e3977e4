"""A connection to the lake: transactions, heads, foreign writes, events and the switch.

A table's version is the number of the snapshot that committed it. A head row is written in the same transaction as the
rows of its table, and DuckLake keeps that number for each row, as `snapshot_id`. So no number is guessed, a retried
commit renumbers nothing, and rows and head become visible together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.clock import Clock, utc_now
from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly, preview
from dataops_platform.kit.faults import fault_point
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.cut import Cut, Member, cut_of
from dataops_platform.manifests.events import Event, Move
from dataops_platform.manifests.manifest import WHOLE, Head, InputRef, Manifest
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.manifests.windows import differing
from dataops_platform.warehouse import anchors, documents, expiry, heads, ledger, nodes
from dataops_platform.warehouse.attach import LakeLocation, another, attach, no_lake
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lock import WriteLock
from dataops_platform.warehouse.staging import LakeStaging, drop_relation, put_table, qualified, quarantine_table
from dataops_platform.warehouse.state import State

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PLATFORM = "_dataops"
"""The schema of the platform's own tables (`heads`, `ledger`, `nodes`, `documents`, `unfinished`) and of a head view
for each environment."""

NOTE_ATTEMPTS = 100
Sign = Callable[[str], str]
"""Returns the signature of a text."""
CONFLICT = "DP-W018"
"""The code of a lost race after which a writer may read again and retry."""

INLINED_ROWS = 10
"""Inserts of up to this many rows into the platform's own tables stay in the catalog. Rows of users never do: DuckLake
1.0 loses quotes and backslashes inside a STRUCT on their way there, and a NUL inside a list breaks the commit."""

UNFINISHED = f"lake.{PLATFORM}.unfinished"
"""The table of foreign writes that have begun and were neither adopted nor restored."""


class Lake:
    """A connection to the lake, which a `with` statement closes at its end."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        lock: WriteLock,
        clock: Clock = utc_now,
        anchors: Path | None = None,
        sign: Sign | None = None,
    ) -> None:
        self.connection = connection
        self.lock = lock
        self.clock = clock
        self.anchors = anchors
        self._sign = sign
        self._bound_to: dict[str, int] = {}
        self._cuts: dict[str, Cut] = {}
        """Cuts that were read, by name: an environment is asked what it shows several times in a command."""

    def __enter__(self) -> Lake:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self, fault: str = "") -> Iterator[None]:
        """Run one transaction: committed at the end, or rolled back whole. On SQLite it excludes all other writers.

        `fault` names fault points: `<fault>.before_commit` and `<fault>.after_commit` are passed around the commit.
        Raises: LostRace DP-W018 when another writer changed the same things first.
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
                    raise LostRace("DP-W018") from error
                raise
            if fault:
                fault_point(f"{fault}.after_commit")

    @contextmanager
    def turn(self, lost: int) -> Iterator[None]:
        """Give a writer that has lost `lost` races a better chance: it reads an environment and then writes to it.

        After the first loss, the writer holds the lock of a SQLite catalog from its read to its write. On PostgreSQL it
        pauses first, the longer the more races it has lost.
        """
        if not lost:
            yield
            return
        self.lock.give_way(lost)
        with self.lock.held():
            yield

    @contextmanager
    def bound_to(self, state: State) -> Iterator[None]:
        """Refuse new heads inside once the environment is pointed elsewhere than in `state`: LostRace DP-W012.

        A step reads inputs and code under one release; its result must not become a head under the next.
        """
        self._bound_to[state.environment] = state.pointer
        try:
            yield
        finally:
            del self._bound_to[state.environment]

    def _refuse_pointed_elsewhere(self, environment: str, began: int, now: int) -> None:
        if began != now:
            raise LostRace("DP-W012", environment=environment, event=now)

    def heads(self, environment: str) -> dict[str, Head]:
        """Return the last audited version of every table and model of a build area, by name."""
        return dict(heads.read(self.connection, environment).heads)

    def shown_heads(self, environment: str) -> dict[str, Head]:
        """Return the members of the cut that an environment shows, as heads, by name."""
        return heads.heads_of_cut(self.connection, self.state(environment).cut)

    def last_manifest(self, environment: str, name: str) -> Manifest | None:
        """Return the last manifest of a table or model, under whatever release it was recorded, or None."""
        return heads.read_last(self.connection, environment, name)

    def manifests_of(self, ref: InputRef) -> tuple[Manifest, ...]:
        """Return the manifests of an input of a step. Raises: SystemFailed DP-W006 when one is missing."""
        return heads.manifests_of_input(self.connection, ref)

    def load(self, wanted: Iterable[Head]) -> None:
        """Read the manifests of heads together, instead of each head's on first use."""
        heads.load(self.connection, (head.manifests for head in wanted))

    def cut_of(self, members: Iterable[Head]) -> Cut:
        """Return the cut of these heads. Store the nodes of their trees of windows that the lake lacks."""
        found = list(members)
        new = [text for head in found for text in head.planted.nodes.values()]
        if new:
            with self.transaction("keep"):
                nodes.put(self.connection, new)
        return cut_of(found)

    def windows_that_differ(self, pairs: Mapping[str, tuple[Head, Head]]) -> dict[str, set[str]]:
        """Return, for each pair of heads, the keys of windows that only one has, or that differ in content."""
        trees = {name: (one.windows, other.windows) for name, (one, other) in pairs.items()}
        return differing(trees, partial(nodes.read, self.connection))

    def relation(self, environment: str, head: Head) -> str:
        """Return SQL that reads a head's version of a table, `_dp_*` columns included."""
        area = head.area or environment
        return f"{qualified(f'{area}__build', head.name)} at (version => {int(head.version)})"

    @contextmanager
    def exclusive(self, environment: str) -> Iterator[None]:
        """Exclude all other foreign writers (dbt) of an environment; on SQLite all other writers."""
        with self.lock.held(), self.lock.advisory(environment):
            yield

    @contextmanager
    def stage(self, environment: str, table: str) -> Iterator[LakeStaging]:
        """Open the write of one table of a build area, in one transaction.

        Raises: LostRace DP-W012 when the environment is pointed elsewhere meanwhile; what was committed is no head
        then.
        """
        schema = f"{environment}__build"
        fault_point("stage.before_write")
        self.make_build_area(environment)
        with self.transaction("stage"):
            area = heads.read(self.connection, environment, [table])
            self._refuse_pointed_elsewhere(environment, self._bound_to.get(environment, area.pointer), area.pointer)
            start = self.relation(environment, area.heads[table]) if table in area.given else None
            insert = partial(heads.insert, self.connection, area, version=None)
            if area.pointer and (start is not None or table not in area.heads):  # refused for an earlier head
                drop_relation(self.connection, schema, quarantine_table(table))
            yield LakeStaging(self.connection, schema, table, insert, start, is_new=table not in area.heads)
        # A promotion may have been committed since the look above: then the rows are committed, and no head.
        self._refuse_pointed_elsewhere(environment, area.pointer, self.state(environment).pointer)

    def stand_in(self, environment: str, tables: Sequence[str]) -> None:
        """Put inherited tables into the environment's own build area, where a foreign writer (dbt) looks for them."""
        self.make_build_area(environment)
        area = heads.read(self.connection, environment)
        wanted = [name for name in tables if name in area.given]
        if wanted:
            with self.transaction():
                for name in wanted:
                    self._put(environment, area.heads[name])

    def _put(self, environment: str, head: Head) -> None:
        """Put a head into the build area under its name: its rows, or a view of them where another area has them."""
        schema, select = f"{environment}__build", f"select * from {self.relation(environment, head)}"
        if head.area == environment:
            put_table(self.connection, schema, head.name, select)
        else:
            drop_relation(self.connection, schema, head.name)
            self.connection.execute(f"create view {qualified(schema, head.name)} as {select}")

    def record(self, manifests: Sequence[Manifest], version: str) -> None:
        """Make a model version, or a table as it was at snapshot `version`, the head."""
        self._become_heads(manifests, version)

    def _become_heads(
        self, manifests: Sequence[Manifest], version: str, fault: str = "", writer: str | None = None
    ) -> None:
        """Write the heads of versions that are committed already, and end the foreign write that made them."""
        pointers: dict[str, int] = {}
        with self.transaction(fault):
            for environment in {m.environment for m in manifests}:
                own = [m for m in manifests if m.environment == environment]
                area = heads.read(self.connection, environment, {m.name for m in own})
                self._refuse_pointed_elsewhere(environment, self._bound_to.get(environment, area.pointer), area.pointer)
                pointers[environment] = area.pointer
                heads.insert(self.connection, area, own, version)
                if writer is not None:
                    self._end_foreign_write(environment, writer)
        for environment, pointer in pointers.items():
            self._refuse_pointed_elsewhere(environment, pointer, self.state(environment).pointer)

    def adopt(self, manifests: Sequence[Manifest], version: str, writer: str) -> None:
        """Make tables that a foreign writer (dbt) committed heads, as they were at snapshot `version`, all at once."""
        self._become_heads(manifests, version, "adopt", writer)

    def foreign_digest(self, environment: str, table: str) -> TableDigest | None:
        """Return the digest of a table that has no head because another program writes it.

        None when there is no such table, or while a foreign write in this build area is unfinished: the table may be
        half written.
        """
        schema = f"{environment}__build"
        found = self.connection.execute(
            f"select 1 from duckdb_tables() where database_name = 'lake' and schema_name = {literal(schema)} "
            f"and table_name = {literal(table)} "
            f"and not exists (select 1 from {UNFINISHED} where environment = {literal(environment)})"
        ).fetchone()
        return digests(self.connection, qualified(schema, table), [WHOLE])[WHOLE] if found else None

    def begin_foreign_write(self, environment: str, writer: str) -> str:
        """Record that a foreign writer (dbt) begins to change tables. Return the last snapshot before its changes."""
        with self.transaction():
            self.connection.execute(
                f"insert into {UNFINISHED} values ($environment, $writer)",
                {"environment": environment, "writer": writer},
            )
        return self.current_version()

    def is_foreign_write_unfinished(self, environment: str, writer: str) -> bool:
        """Return whether a foreign write has begun and was neither adopted nor restored.

        Inside `exclusive` this means that its process died.
        """
        return bool(
            self.connection.execute(
                f"select 1 from {UNFINISHED} where environment = {literal(environment)} "
                f"and writer = {literal(writer)} limit 1"
            ).fetchone()
        )

    def restore(self, environment: str, tables: Sequence[str], writer: str) -> None:
        """Put tables back to their heads, drop those that never had one, and end the foreign write."""
        with self.transaction("restore"):
            area = self.heads(environment)
            for table in tables:
                if table in area:
                    self._put(environment, area[table])
                else:
                    drop_relation(self.connection, f"{environment}__build", table)
            self._end_foreign_write(environment, writer)

    def _end_foreign_write(self, environment: str, writer: str) -> None:
        self.connection.execute(
            f"delete from {UNFINISHED} where environment = $environment and writer = $writer",
            {"environment": environment, "writer": writer},
        )

    def current_version(self) -> str:
        """Return the number of the last committed snapshot."""
        row = self.connection.execute("from ducklake_current_snapshot('lake')").fetchone()
        return str(row[0]) if row else "0"

    def state(self, environment: str) -> State:
        """Return what an environment shows now; the sequence is 0 while its ledger is empty."""
        state = ledger.read_state(self.connection, environment, self._cuts)
        if state.moved:
            self._cuts[state.moved.cut] = state.cut
        return state

    def events(self, environment: str) -> list[Event]:
        """Return the ledger of an environment, oldest event first."""
        return ledger.read_events(self.connection, environment)

    def cut(self, event: Move) -> Cut:
        """Return the cut that an event shows. Raises: SystemFailed DP-W014 when it is not stored."""
        return ledger.read_cut(self.connection, event.cut)

    def environments(self) -> list[str]:
        """Return the environments that have a ledger here, sorted by name."""
        return ledger.read_environments(self.connection)

    def switch(self, environment: str, cut: Cut, expected: State, event: Move, fault: str = "publish") -> State:
        """Show `cut` instead of `expected`: views, model pointers and ledger change in one transaction.

        Raises: LostRace DP-W004 when the environment no longer shows what was expected.
        """
        fault_point(f"{fault}.before_write")
        with anchors.opened(self.anchors, environment) as anchor:
            state = self._switch(environment, cut, expected, event, fault)
            anchor(state)
        return state

    def _switch(self, environment: str, cut: Cut, expected: State, event: Move, fault: str) -> State:
        with self.transaction(fault):
            now = self.state(environment)
            if now.hash != expected.hash:
                raise LostRace("DP-W004", environment=environment, publication=short(now.publication) or "none")
            self.create_schema(environment)
            self._point_views(environment, expected.cut, cut)
            return self.append(now, event, cut)

    def note(self, environment: str, event: Event | Callable[[State], Event | None]) -> State:
        """Append an event that moves nothing to the ledger. Retry when another writer came first.

        A function receives the state that its event will follow. It may refuse by raising, or return None to write
        nothing.
        Raises: LostRace DP-W018 after `NOTE_ATTEMPTS` lost races.
        """
        with anchors.opened(self.anchors, environment) as anchor:
            for lost in range(NOTE_ATTEMPTS):
                try:
                    with self.turn(lost):
                        before, state = self._note(environment, event)
                except LostRace as error:
                    if error.code != CONFLICT or lost == NOTE_ATTEMPTS - 1:
                        raise
                    continue
                if state is not before:
                    anchor(state)
                return state
        raise AssertionError("unreachable")

    def _note(self, environment: str, event: Event | Callable[[State], Event | None]) -> tuple[State, State]:
        with self.transaction("note"):
            before = self.state(environment)
            wanted = event(before) if callable(event) else event
            return before, before if wanted is None else self.append(before, wanted, None)

    def append(self, before: State, event: Event, cut: Cut | None) -> State:
        """Append an event after `before`, inside the caller's transaction. With a cut, it moves the environment."""
        return ledger.append(self.connection, before, event, cut, self.clock(), self._sign)

    def keep(self, kind: str, name: str, body: Mapping[str, Any], told: tuple[str, Event] | None = None) -> None:
        """Store a document permanently under its name; a document that exists already stays.

        `told` is an environment and the event that records the new document in its ledger. Document and event are
        written together; neither is written when the document exists.
        """
        if told is None:
            with self.transaction("keep"):
                documents.insert(self.connection, kind, name, body)
            return

        def write(_: State) -> Event | None:
            return told[1] if documents.insert(self.connection, kind, name, body) else None

        self.note(told[0], write)

    def document_digest(self, kind: str, name: str) -> str:
        """Return the digest of a document's stored text; empty when there is none of that name."""
        return documents.read_digest(self.connection, kind, name)

    def document(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """Return one stored document, or None."""
        return documents.read(self.connection, kind, name).get(name)

    def kept(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Return the documents of a kind by name, oldest first."""
        return documents.read(self.connection, kind)

    def expire(
        self,
        expected: Mapping[str, State],
        events: Mapping[str, Event],
        snapshots: Collection[int],
        unneeded: Collection[str],
        before: datetime,
    ) -> None:
        """Expire snapshots and append `events` to ledgers, if no environment has moved since `expected`.

        Also deletes the texts `unneeded`, unless they were stored at or after `before`.

        Raises: LostRace DP-W004 when an environment no longer shows what was expected, Refused DP-L063 when a head or a
        view needs one of the snapshots; nothing is changed then.
        """
        with ExitStack() as opened:
            anchor = {name: opened.enter_context(anchors.opened(self.anchors, name)) for name in sorted(events)}
            with self.transaction():
                told = {}
                for name, state in expected.items():
                    now = self.state(name)
                    if now.hash != state.hash:
                        raise LostRace("DP-W004", environment=name, publication=short(now.publication) or "none")
                    if name in events:
                        told[name] = self.append(now, events[name], None)
                    elif now.sequence:
                        ledger.touch(self.connection, name)  # so that a rival's move of it conflicts with this
                self._refuse_shown(expected, snapshots)
                nodes.delete(self.connection, unneeded, before)
                expiry.expire(self.connection, snapshots)
            for name, state in told.items():
                anchor[name](state)

    def _refuse_shown(self, environments: Iterable[str], snapshots: Collection[int]) -> None:
        """Refuse to expire what a head or a view needs, whatever the caller has computed. Raises: Refused DP-L063."""
        shown = {
            int(head.version) for name in environments for head in self.heads(name).values() if head.kind == "table"
        }
        lost = (shown | expiry.pinned(self.connection)) & set(snapshots)
        if lost:
            raise Refused("DP-L063", versions=preview(sorted(lost)))

    def has_version(self, version: str) -> bool:
        """Return whether a version of a table was not expired."""
        return expiry.is_readable(self.connection, version)

    def create_schema(self, name: str) -> None:
        """Create a schema unless it exists.

        It looks first, because a CREATE that changes nothing would still conflict with a rival.
        """
        if not self._has_schema(name):
            self.connection.execute(f"create schema lake.{identifier(name)}")

    def make_build_area(self, environment: str) -> None:
        """Create the schema of a build area unless it exists.

        A transaction of its own keeps the first writers, which all need it, from conflicting.
        """
        schema = f"{environment}__build"
        if not self._has_schema(schema):
            with self.lock.held(), self.lock.advisory("make a build area"), self.transaction():
                self.create_schema(schema)

    def _has_schema(self, name: str) -> bool:
        found = self.connection.execute(
            f"select 1 from duckdb_schemas() where database_name = 'lake' and schema_name = {literal(name)}"
        ).fetchone()
        return found is not None

    def _point_views(self, environment: str, before: Cut, after: Cut) -> None:
        """Replace the views of `before` by those of `after`. A view of an unchanged version stays as it is."""
        shown = {member.name: member for member in before.members if member.kind == "table"}
        wanted = {member.name: member for member in after.members if member.kind == "table"}
        for name, member in wanted.items():
            was = shown.get(name)
            if was is None or (was.version, was.area) != (member.version, member.area):
                self._point_view(environment, member)
        for name in shown.keys() - wanted.keys():
            self.connection.execute(f"drop view if exists {qualified(environment, name)}")

    def _point_view(self, environment: str, member: Member) -> None:
        source = qualified(f"{member.area or environment}__build", member.name)
        pinned = f"{source} at (version => {int(member.version)})"
        described = self.connection.execute(f"describe select * from {pinned}").fetchall()
        columns = ", ".join(identifier(name) for name, *_ in described if not name.startswith("_dp_"))
        self.connection.execute(
            f"create or replace view {qualified(environment, member.name)} as select {columns} from {pinned}"
        )


_attached: ContextVar[dict[LakeLocation, DuckDBPyConnection] | None] = ContextVar("attached", default=None)


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
        lake.connection.execute(f"create table {UNFINISHED} (environment varchar, writer varchar)")
        ledger.create(lake.connection)
        documents.create(lake.connection)
        nodes.create(lake.connection)


def _is_conflict(error: Exception) -> bool:
    text = str(error).lower()
    return any(sign in text for sign in ("conflict", "could not serialize", "database is locked"))


def _roll_back(connection: DuckDBPyConnection) -> None:
    import duckdb

    try:
        connection.execute("rollback")
    except duckdb.Error:
        return  # the failed commit has already ended the transaction
