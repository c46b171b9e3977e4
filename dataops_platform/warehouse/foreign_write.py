"""Tables that another program writes into a build area, and commits itself: dbt, or an asset that a team already has.

What dbt made is adopted as a whole or put back as a whole; where it died half way, the next run puts it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataops_platform.kit.sql import literal
from dataops_platform.manifests.manifest import WHOLE, Head, Manifest
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.warehouse import heads
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.staging import drop_relation, put_table, qualified

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNFINISHED = "lake._dataops.unfinished"
"""The table of foreign writes that have begun and were neither adopted nor restored."""


def create(connection: DuckDBPyConnection) -> None:
    """Create the table of unfinished writes."""
    connection.execute(f"create table {UNFINISHED} (environment varchar, writer varchar)")


@contextmanager
def exclusive(lake: Lake, environment: str) -> Iterator[None]:
    """Exclude all other foreign writers of an environment; on SQLite all other writers."""
    with lake.lock.held(), lake.lock.advisory(environment):
        yield


def begin(lake: Lake, environment: str, writer: str) -> None:
    """Record that a foreign writer begins to change tables."""
    with lake.transaction():
        lake.connection.execute(
            f"insert into {UNFINISHED} values ($environment, $writer)", {"environment": environment, "writer": writer}
        )


def is_unfinished(lake: Lake, environment: str, writer: str) -> bool:
    """Return whether a foreign write has begun and was neither adopted nor restored.

    Inside `exclusive` this means that its process died.
    """
    found = lake.connection.execute(
        f"select 1 from {UNFINISHED} where environment = {literal(environment)} and writer = {literal(writer)} limit 1"
    ).fetchone()
    return found is not None


def adopt(lake: Lake, manifests: Sequence[Manifest], version: str, writer: str) -> None:
    """Make tables that a foreign writer committed heads, as they were at snapshot `version`, all at once."""
    with lake.recording(manifests, version, "adopt"):
        for environment in {m.environment for m in manifests}:
            _end(lake, environment, writer)


def restore(lake: Lake, environment: str, tables: Sequence[str], writer: str) -> None:
    """Put tables back to their heads, drop those that never had one, and end the foreign write."""
    with lake.transaction("restore"):
        area = lake.heads(environment)
        for table in tables:
            if table in area:
                _put(lake, environment, area[table])
            else:
                drop_relation(lake.connection, f"{environment}__build", table)
        _end(lake, environment, writer)


def _end(lake: Lake, environment: str, writer: str) -> None:
    lake.connection.execute(
        f"delete from {UNFINISHED} where environment = $environment and writer = $writer",
        {"environment": environment, "writer": writer},
    )


def stand_in(lake: Lake, environment: str, tables: Sequence[str]) -> None:
    """Put inherited tables into the environment's own build area, where a foreign writer looks for them."""
    lake.make_build_area(environment)
    area = heads.read(lake.connection, environment)
    wanted = [name for name in tables if name in area.given]
    if wanted:
        with lake.transaction():
            for name in wanted:
                _put(lake, environment, area.heads[name])


def _put(lake: Lake, environment: str, head: Head) -> None:
    """Put a head into the build area under its name: its rows, or a view of them where another area has them."""
    schema, select = f"{environment}__build", f"select * from {lake.relation(environment, head)}"
    if head.area == environment:
        put_table(lake.connection, schema, head.name, select)
    else:
        drop_relation(lake.connection, schema, head.name)
        lake.connection.execute(f"create view {qualified(schema, head.name)} as {select}")


def digest_of(lake: Lake, environment: str, table: str) -> TableDigest | None:
    """Return the digest of a table that has no head because another program writes it.

    None when there is no such table, or while a foreign write in this build area is unfinished: the table may be half
    written.
    """
    schema = f"{environment}__build"
    found = lake.connection.execute(
        f"select 1 from duckdb_tables() where database_name = 'lake' and schema_name = {literal(schema)} "
        f"and table_name = {literal(table)} "
        f"and not exists (select 1 from {UNFINISHED} where environment = {literal(environment)})"
    ).fetchone()
    return digests(lake.connection, qualified(schema, table), [WHOLE])[WHOLE] if found else None
