"""Write locks: one process at a time on a SQLite catalog, one holder of a name at a time on PostgreSQL."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.kit.sql import literal
from dataops_platform.warehouse.attach import LakeLocation, cannot_attach, connect

TIMEOUT_S = 900.0
PAUSE_S, LONGEST_PAUSE_S = 0.02, 1.0


class WriteLock:
    """The write locks of a lake: a file beside a SQLite catalog, or names in a PostgreSQL catalog."""

    def __init__(self, location: LakeLocation, timeout_s: float = TIMEOUT_S) -> None:
        catalog = location.sqlite_path
        self._location = location
        self._path = catalog.with_name(catalog.name + ".lock") if catalog else None
        self._timeout_s = timeout_s
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock of a SQLite catalog; a no-op on PostgreSQL.

        The holder may take it again inside. The operating system releases it when the holder dies.
        Raises: SystemFailed DP-W003 when another process holds it too long.
        """
        if self._path is None or self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        from filelock import FileLock, Timeout

        lock = FileLock(self._path, timeout=self._timeout_s, poll_interval=0.02)
        try:
            lock.acquire()
        except Timeout:
            raise self._timed_out(self._path.name, f"fuser {self._path.name}") from None
        self._depth = 1
        try:
            yield
        finally:
            self._depth = 0
            lock.release()

    def give_way(self, lost: int) -> None:
        """On PostgreSQL, sleep for a random time after `lost` lost races, so that one of many writers gets through."""
        if self._path is None:
            time.sleep(random.uniform(0, min(PAUSE_S * 2**lost, LONGEST_PAUSE_S)))  # noqa: S311 - nothing secret

    @contextmanager
    def advisory(self, name: str) -> Iterator[None]:
        """Hold a lock by name in a PostgreSQL catalog until its connection ends; a no-op on SQLite.

        Raises: SystemFailed DP-W003 when another process holds it too long, DP-W002 when the catalog cannot be
        attached.
        Source: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
        """
        if self._path is not None:
            yield
            return
        import duckdb

        connection = connect(self._location, "postgres_scanner")
        try:
            try:
                dsn = self._location.catalog.partition(":")[2]
                connection.execute(f"attach {literal(dsn)} as catalog (type postgres)")
                connection.execute("begin transaction")
                for query in (
                    f"select set_config('lock_timeout', '{int(self._timeout_s * 1000)}', true)",
                    f"select 1 from pg_advisory_xact_lock(hashtext({literal('dataops ' + name)}))",
                ):
                    connection.execute(f"from postgres_query('catalog', {literal(query)})").fetchall()
            except duckdb.Error as error:
                if "lock timeout" in str(error):
                    raise self._timed_out(f"{name!r}", "select * from pg_locks where locktype = 'advisory'") from None
                raise cannot_attach(self._location, error) from None
            yield
        finally:
            connection.close()

    def _timed_out(self, where: str, command: str) -> SystemFailed:
        return SystemFailed("DP-W003", seconds=self._timeout_s, lock=where, command=command)
