"""Snapshots of a lake: which exist, which are in use, and how the others are expired.

A snapshot is expired by its number, never by its age: a view that is pinned to an expired snapshot breaks.
Source: https://ducklake.select/docs/stable/duckdb/maintenance/expire_snapshots
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.kit.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CATALOG = "__ducklake_metadata_lake"
_PINNED = re.compile(r"(?i)\bat\s*\(\s*version\s*=>\s*(\d+)\s*\)")


@dataclass(frozen=True)
class Files:
    """A number of data files, and their total size."""

    count: int
    size_bytes: int


def snapshots(connection: DuckDBPyConnection) -> frozenset[int]:
    """Return the numbers of all snapshots of the lake."""
    return frozenset(
        n for (n,) in connection.execute(f"select snapshot_id from {_CATALOG}.ducklake_snapshot").fetchall()
    )


def is_readable(connection: DuckDBPyConnection, version: str) -> bool:
    """Return whether the snapshot of a table's version exists."""
    found = connection.execute(
        f"select 1 from {_CATALOG}.ducklake_snapshot where snapshot_id = {int(version)} limit 1"
    ).fetchone()
    return found is not None


def pinned(connection: DuckDBPyConnection) -> frozenset[int]:
    """Return the numbers of the snapshots that views of the lake name, whoever made the views."""
    found = connection.execute("select sql from duckdb_views() where database_name = 'lake'").fetchall()
    return frozenset(int(number) for (sql,) in found for number in _PINNED.findall(sql))


def files_of(connection: DuckDBPyConnection, schema: str, table: str, version: str) -> list[tuple[str, str]]:
    """Return the files of a table's version, each with the file that lists its deleted rows (empty: none)."""
    rows = connection.execute(
        "select data_file, coalesce(delete_file, '') from ducklake_list_files("
        f"'lake', {literal(table)}, schema => {literal(schema)}, snapshot_version => {int(version)})"
    ).fetchall()
    return [(str(path), str(deleted)) for path, deleted in rows]


def files_only_of(connection: DuckDBPyConnection, expired: Collection[int]) -> Files:
    """Return the files that only these snapshots need, and those that are already scheduled for deletion.

    The size of a scheduled file is not known and counts as 0.
    """
    gone = _numbers(expired)
    row = connection.execute(
        f"with files as (select begin_snapshot, end_snapshot, file_size_bytes from {_CATALOG}.ducklake_data_file "
        f"union all select begin_snapshot, end_snapshot, file_size_bytes from {_CATALOG}.ducklake_delete_file), "
        f"kept as (select snapshot_id from {_CATALOG}.ducklake_snapshot where snapshot_id not in ({gone})) "
        "select count(*), coalesce(sum(file_size_bytes), 0)::bigint from files where end_snapshot is not null "
        "and not exists (from kept where snapshot_id >= begin_snapshot and snapshot_id < end_snapshot)"
    ).fetchone()
    waiting = connection.execute(f"select count(*) from {_CATALOG}.ducklake_files_scheduled_for_deletion").fetchone()
    return Files((row[0] if row else 0) + (waiting[0] if waiting else 0), row[1] if row else 0)


def expire(connection: DuckDBPyConnection, expired: Collection[int]) -> None:
    """Expire exactly these snapshots, inside the caller's transaction. Their files are then scheduled for deletion."""
    if expired:
        connection.execute(f"call ducklake_expire_snapshots('lake', versions => [{_numbers(expired)}])").fetchall()


def remove_files(connection: DuckDBPyConnection) -> int:
    """Delete the files that are scheduled for deletion. Return their number."""
    return len(connection.execute("call ducklake_cleanup_old_files('lake', cleanup_all => true)").fetchall())


def _numbers(found: Collection[int]) -> str:
    return ", ".join(str(int(number)) for number in sorted(found))
