"""Whether a version of a table can still be read: its snapshot exists, and its files are complete."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.sql import literal
from dataops_platform.manifests.cut import Member
from dataops_platform.warehouse.staging import qualified

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def why_unreadable(connection: DuckDBPyConnection, environment: str, member: Member) -> str:
    """Return why the version of a table that `environment` shows cannot be read; empty when it can.

    Checks names and sizes of its files (in an object store names only), not their content.
    """
    import duckdb

    schema = f"{member.area or environment}__build"
    version = int(member.version)
    try:
        connection.execute(f"describe select * from {qualified(schema, member.name)} at (version => {version})")
        files = connection.execute(
            f"select data_file, data_file_size_bytes, delete_file, delete_file_size_bytes from ducklake_list_files("
            f"'lake', {literal(member.name)}, schema => {literal(schema)}, snapshot_version => {version})"
        ).fetchall()
        for data, data_bytes, deleted, deleted_bytes in files:
            for name, size_bytes in ((data, data_bytes), (deleted, deleted_bytes)):
                if name and not _is_there(connection, name, size_bytes):
                    return f"{name.rpartition('/')[2]} is missing or was cut"
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return ""


def _is_there(connection: DuckDBPyConnection, name: str, size_bytes: int) -> bool:
    if "://" in name:
        return bool(connection.execute(f"select 1 from glob({literal(name)})").fetchone())
    path = Path(name)
    return path.is_file() and path.stat().st_size == size_bytes
