"""A connection to the lake: transactions, heads, events and the switch.

A table's version is the number of the snapshot that committed it. A head row is written in the same transaction as the
rows of its table, and DuckLake keeps that number for each row, as `snapshot_id`. So no number is guessed, a retried
commit renumbers nothing, and rows and head become visible together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dataops_platform.kit.clock import Clock
from dataops_platform.kit.errors import LostRace
from dataops_platform.kit.faults import fault_point
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.cut import Cut, cut_of
from dataops_platform.manifests.events import Event, Move
from dataops_platform.manifests.manifest import Head, InputRef, Manifest
from dataops_platform.manifests.windows import differing
from dataops_platform.warehouse import anchors, expiry, heads, ledger, nodes, views
from dataops_platform.warehouse.heads import BuildArea
from dataops_platform.warehouse.lock import WriteLock
from dataops_platform.warehouse.staging import LakeStaging, drop_relation, qualified, quarantine_table
from dataops_platform.warehouse.state import State, refuse_moved

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

T = TypeVar("T")
ATTEMPTS = 100
Sign = Callable[[str], str]
"""Returns the signature of a text."""
CONFLICT = "DP-W018"
"""The code of a lost race after which a writer may read again and retry."""


class Lake:
    """A connection to the lake, which a `with` statement closes at its end."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        lock: WriteLock,
        clock: Clock,
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

    def retried(self, attempt: Callable[[], T], attempts: int, retry: Callable[[LostRace], bool] = lambda _: True) -> T:
        """Return what `attempt` returns. Repeat it when another writer came first, each time with a better chance.

        Raises: the LostRace of the last attempt; any other that `retry` returns false for.
        """
        for lost in range(attempts):
            try:
                with self.turn(lost):
                    return attempt()
            except LostRace as error:
                if lost == attempts - 1 or not retry(error):
                    raise
        raise AssertionError("unreachable")

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
    def stage(self, environment: str, table: str) -> Iterator[LakeStaging]:
        """Open the write of one table of a build area, in one transaction.

        Raises: LostRace DP-W012 when the environment is pointed elsewhere meanwhile; what was committed is no head
        then.
        """
        schema = f"{environment}__build"
        fault_point("stage.before_write")
        self.make_build_area(environment)
        with self.transaction("stage"):
            area = self._area(environment, [table])
            start = self.relation(environment, area.heads[table]) if table in area.given else None
            insert = partial(heads.insert, self.connection, area, version=None)
            if area.pointer and (start is not None or table not in area.heads):  # refused for an earlier head
                drop_relation(self.connection, schema, quarantine_table(table))
            yield LakeStaging(self.connection, schema, table, insert, start, is_new=table not in area.heads)
        self._refuse_pointed(environment, area.pointer)

    def record(self, manifests: Sequence[Manifest], version: str) -> None:
        """Make a model version, or a table as it was at snapshot `version`, the head."""
        with self.recording(manifests, version):
            pass

    @contextmanager
    def recording(self, manifests: Sequence[Manifest], version: str, fault: str = "") -> Iterator[None]:
        """Make versions that are committed already heads, in one transaction with what is written inside.

        Raises: LostRace DP-W012 when an environment is pointed elsewhere meanwhile.
        """
        pointers: dict[str, int] = {}
        with self.transaction(fault):
            for environment in {m.environment for m in manifests}:
                own = [m for m in manifests if m.environment == environment]
                area = self._area(environment, {m.name for m in own})
                pointers[environment] = area.pointer
                heads.insert(self.connection, area, own, version)
            yield
        for environment, pointer in pointers.items():
            self._refuse_pointed(environment, pointer)

    def _area(self, environment: str, names: Collection[str]) -> BuildArea:
        """Return a build area to write to. Raises: LostRace DP-W012 when it is pointed elsewhere than in `bound_to`."""
        area = heads.read(self.connection, environment, names)
        _refuse_pointed_elsewhere(environment, self._bound_to.get(environment, area.pointer), area.pointer)
        return area

    def _refuse_pointed(self, environment: str, began: int) -> None:
        """Refuse a write during which a promotion was committed: its rows are committed, and no head."""
        _refuse_pointed_elsewhere(environment, began, self.state(environment).pointer)

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
            refuse_moved(expected, now)
            self.create_schema(environment)
            views.point(self.connection, environment, expected.cut, cut)
            return self.append(now, event, cut)

    def note(self, environment: str, event: Event | Callable[[State], Event | None]) -> State:
        """Append an event that moves nothing to the ledger. Retry when another writer came first.

        A function receives the state that its event will follow. It may refuse by raising, or return None to write
        nothing.
        Raises: LostRace DP-W018 after `ATTEMPTS` lost races.
        """
        with anchors.opened(self.anchors, environment) as anchor:
            append = partial(self._note, environment, event)
            before, state = self.retried(append, ATTEMPTS, lambda error: error.code == CONFLICT)
            if state is not before:
                anchor(state)
            return state

    def _note(self, environment: str, event: Event | Callable[[State], Event | None]) -> tuple[State, State]:
        with self.transaction("note"):
            before = self.state(environment)
            wanted = event(before) if callable(event) else event
            return before, before if wanted is None else self.append(before, wanted, None)

    def append(self, before: State, event: Event, cut: Cut | None) -> State:
        """Append an event after `before`, inside the caller's transaction. With a cut, it moves the environment."""
        return ledger.append(self.connection, before, event, cut, self.clock(), self._sign)

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

        A transaction of its own, which may be repeated, keeps the first writers, which all need it, from conflicting.
        """
        schema = f"{environment}__build"

        def create() -> None:
            with self.lock.held(), self.lock.advisory("make a build area"), self.transaction():
                self.create_schema(schema)

        if not self._has_schema(schema):
            self.retried(create, ATTEMPTS)

    def _has_schema(self, name: str) -> bool:
        found = self.connection.execute(
            f"select 1 from duckdb_schemas() where database_name = 'lake' and schema_name = {literal(name)}"
        ).fetchone()
        return found is not None


def _refuse_pointed_elsewhere(environment: str, began: int, now: int) -> None:
    if began != now:
        raise LostRace("DP-W012", environment=environment, event=now)


def _is_conflict(error: Exception) -> bool:
    text = str(error).lower()
    return any(sign in text for sign in ("conflict", "could not serialize", "database is locked"))


def _roll_back(connection: DuckDBPyConnection) -> None:
    import duckdb

    try:
        connection.execute("rollback")
    except duckdb.Error:
        return  # the failed commit has already ended the transaction
