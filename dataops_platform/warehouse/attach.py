"""Connects DuckDB to the lake; the only place that attaches it.

Source: DuckLake 1.x, https://ducklake.select/docs/stable/duckdb/usage/connecting
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import SystemFailed, UsedWrongly
from dataops_platform.kit.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BUSY_TIMEOUT_MS = 5000
COMMIT_RETRIES = 100
OPTIONS: dict[str, str | bool | int | float | list[str]] = {}
"""More options of every connection; only tests set any."""


@dataclass(frozen=True)
class LakeLocation:
    """Where a lake is: its catalog (`sqlite:PATH` or `postgres:DSN`), its files, DuckDB's extensions, its anchors."""

    catalog: str = field(repr=False)
    data: str
    extensions: Path
    anchors: Path | None = None
    """The folder that remembers, outside the lake, what its ledgers said."""

    @property
    def sqlite_path(self) -> Path | None:
        """The catalog's file, when it is SQLite."""
        kind, _, rest = self.catalog.partition(":")
        return Path(rest) if kind == "sqlite" else None

    @property
    def scanner(self) -> str:
        """DuckDB's extension that reads the catalog."""
        return "postgres_scanner" if self.sqlite_path is None else "sqlite_scanner"

    @property
    def options(self) -> dict[str, str | int | bool]:
        """Options of ATTACH, the same for every process that comes near the lake.

        A SQLite lake lies in the project's folder and may be moved with it, so its data path may differ from the one
        it was made with. A team's lake may not: two data paths in one catalog would be two half lakes.
        """
        if self.sqlite_path is None:
            return {"data_path": self.data}
        return {
            "data_path": self.data,
            "override_data_path": True,
            "meta_journal_mode": "WAL",
            "meta_busy_timeout": BUSY_TIMEOUT_MS,
        }


def attach(location: LakeLocation, *, read_only: bool = False) -> DuckDBPyConnection:
    """A DuckDB connection of its own with the lake attached as `lake`.

    Raises: UsedWrongly DP-W001 when there is no lake to read, DP-W009 when its files are elsewhere; SystemFailed
    DP-W002 when it cannot be attached.
    """
    import duckdb

    path = location.sqlite_path
    if read_only:
        if path is not None and not (path.exists() and path.stat().st_size):
            raise no_lake(location)
    else:
        _make_folders(location)
    try:
        connection = connect(location, "ducklake", location.scanner)
        connection.execute(f"set ducklake_max_retry_count = {COMMIT_RETRIES}")
        connection.execute(_attach_statement(location, read_only))
        _refuse_other_files(connection, location)
    except duckdb.Error as error:
        if read_only and "creating a new DuckLake is explicitly disabled" in str(error):
            raise no_lake(location) from None
        raise cannot_attach(location, error) from None
    return connection


def _make_folders(location: LakeLocation) -> None:
    if location.sqlite_path is not None:
        location.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
    if "://" not in location.data:
        Path(location.data).mkdir(parents=True, exist_ok=True)


def connect(location: LakeLocation, *extensions: str) -> DuckDBPyConnection:
    """A DuckDB connection of its own, in UTC, with extensions loaded.

    What only reads quotes its values with `literal`: binding one makes DuckDB import pandas, a second per process.
    """
    import duckdb

    location.extensions.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={"extension_directory": str(location.extensions), **OPTIONS})
    connection.execute("set TimeZone = 'UTC'")
    for name in extensions:
        load_extension(connection, name)
    return connection


def another(connection: DuckDBPyConnection) -> DuckDBPyConnection:
    """Another connection to the same DuckDB: own transactions, own temporary tables, the same attached lake."""
    cursor = connection.cursor()
    cursor.execute("set TimeZone = 'UTC'")
    return cursor


def no_lake(location: LakeLocation) -> UsedWrongly:
    """The error of reading what nobody has made yet."""
    catalog = location.sqlite_path.name if location.sqlite_path else "postgres"
    return UsedWrongly("DP-W001", catalog=catalog)


def cannot_attach(location: LakeLocation, error: Exception) -> SystemFailed:
    """What DuckDB said, without the catalog's address: that may hold a password, and so may the cause."""
    kind, _, address = location.catalog.partition(":")
    said = " ".join(str(error).replace(address, "…").split())
    return SystemFailed("DP-W002", reason=said[:300], catalog=kind)


def _refuse_other_files(connection: DuckDBPyConnection, location: LakeLocation) -> None:
    """Refuses an empty folder instead of the lake's: DuckLake would write there, and miss all older files."""
    if location.sqlite_path is None or "://" in location.data:
        return
    folder = Path(location.data)
    if folder.is_dir() and any(folder.iterdir()):
        return
    row = connection.execute(
        "select value from ducklake_options('lake') where option_name = 'data_path' "
        "and exists (from __ducklake_metadata_lake.ducklake_data_file)"
    ).fetchone()
    if row and row[0].rstrip("/") != location.data.rstrip("/"):
        raise UsedWrongly("DP-W009", found=location.data, recorded=row[0])


def _attach_statement(location: LakeLocation, read_only: bool) -> str:
    options = [f"{k} {literal(v) if isinstance(v, str) else v}" for k, v in location.options.items()]
    if read_only:
        options.append("read_only")
    return f"attach {literal('ducklake:' + location.catalog)} as lake ({', '.join(options)})"


def load_extension(connection: DuckDBPyConnection, name: str) -> None:
    """Loads an extension: from the project's folder, else from its wheel, else from DuckDB's own site.

    DuckDB checks the DuckDB Foundation's signature in each case.
    """
    row = connection.execute(
        f"select installed from duckdb_extensions() where extension_name = {literal(name)}"
    ).fetchone()
    if not (row and row[0]):
        wheel = _extension_file(name)
        connection.execute(f"install {literal(str(wheel)) if wheel else name}")
    connection.execute(f"load {name}")


def _extension_file(name: str) -> Path | None:
    import duckdb

    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    path = folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    return path if path.exists() else None
