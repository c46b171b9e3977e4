"""Connections from DuckDB to the lake; no other module attaches it.

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
"""Further DuckDB options of every connection; only tests set any."""


@dataclass(frozen=True)
class LakeLocation:
    """Where a lake is: its catalog, its data files, DuckDB's extensions and its anchors.

    `catalog` is `sqlite:PATH` or `postgres:DSN`. `data` is a folder or the address of an object store.
    """

    catalog: str = field(repr=False)
    data: str
    extensions: Path
    anchors: Path | None = None
    """The folder of the anchors: hashes of the ledgers' events, kept outside the lake."""

    @property
    def sqlite_path(self) -> Path | None:
        """The file of a SQLite catalog; None for PostgreSQL."""
        kind, _, rest = self.catalog.partition(":")
        return Path(rest) if kind == "sqlite" else None

    @property
    def scanner(self) -> str:
        """The DuckDB extension that reads the catalog."""
        return "postgres_scanner" if self.sqlite_path is None else "sqlite_scanner"

    @property
    def options(self) -> dict[str, str | int | bool]:
        """Options of ATTACH, the same for every process that attaches the lake.

        A SQLite lake lies in the project's folder and may be moved with it, so its data path may differ from the
        recorded one. A lake in PostgreSQL must keep its data path: with two paths in one catalog, each process would
        miss the other's files.
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
    """Return a new DuckDB connection with the lake attached as `lake`. Unless `read_only`, create a missing lake.

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
    """Return a new DuckDB connection, in UTC, with extensions loaded.

    Code that only reads quotes its values with `literal`: binding a value makes DuckDB import pandas, one second a
    process.
    """
    import duckdb

    location.extensions.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={"extension_directory": str(location.extensions), **OPTIONS})
    _settle(connection)
    for name in extensions:
        load_extension(connection, name)
    return connection


def another(connection: DuckDBPyConnection) -> DuckDBPyConnection:
    """Return another connection to the same DuckDB and lake, with its own transactions and temporary tables."""
    cursor = connection.cursor()
    _settle(cursor)
    return cursor


def _settle(connection: DuckDBPyConnection) -> None:
    """Set what counts for one connection: UTC, and no progress bar on standard output, which would spoil JSON."""
    connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")


def no_lake(location: LakeLocation) -> UsedWrongly:
    """Return the error for a lake that does not exist or is not complete yet."""
    catalog = location.sqlite_path.name if location.sqlite_path else "postgres"
    return UsedWrongly("DP-W001", catalog=catalog)


def cannot_attach(location: LakeLocation, error: Exception) -> SystemFailed:
    """Return the error for a failed attach: DuckDB's message without the catalog's address.

    The address may hold a password, and so may DuckDB's error: raise this one `from None`.
    """
    kind, _, address = location.catalog.partition(":")
    message = " ".join(str(error).replace(address, "…").split())
    return SystemFailed("DP-W002", reason=message[:300], catalog=kind)


def _refuse_other_files(connection: DuckDBPyConnection, location: LakeLocation) -> None:
    """Refuse an empty or missing folder in place of the lake's: DuckLake would write there, and miss all older files.

    Raises: UsedWrongly DP-W009.
    """
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
    """Load a DuckDB extension. Install a missing one first, from its wheel or else from DuckDB's site.

    Extensions are installed into the project's folder. DuckDB verifies the DuckDB Foundation's signature in each case.
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
