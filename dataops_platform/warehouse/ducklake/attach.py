"""Connects DuckDB to the lake; the only place that attaches it.

Source: DuckLake 1.x, https://ducklake.select/docs/stable/duckdb/usage/connecting
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import SystemFailed, UsedWrongly
from dataops_platform.kit.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BUSY_TIMEOUT_MS = 5000
COMMIT_RETRIES = 100


@dataclass(frozen=True)
class LakeLocation:
    """Where a lake is: its catalog (`sqlite:PATH` or `postgres:DSN`), its files, DuckDB's extensions."""

    catalog: str
    data: str
    extensions: Path

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
    def options(self) -> dict[str, str | int]:
        """Options of ATTACH, the same for every process that comes near the lake."""
        if self.sqlite_path is None:
            return {"data_path": self.data}
        return {"data_path": self.data, "meta_journal_mode": "WAL", "meta_busy_timeout": BUSY_TIMEOUT_MS}


def attach(location: LakeLocation, *, read_only: bool = False) -> DuckDBPyConnection:
    """A DuckDB connection of its own with the lake attached as `lake`.

    Raises: UsedWrongly DP-W001 when there is no lake to read, SystemFailed DP-W002 when it cannot be attached.
    """
    import duckdb

    path = location.sqlite_path
    if path is not None:
        if read_only and not path.exists():
            raise UsedWrongly("DP-W001", "there is no lake yet", where=path.name, fix="make one with: dataops run")
        path.parent.mkdir(parents=True, exist_ok=True)
    if "://" not in location.data:
        Path(location.data).mkdir(parents=True, exist_ok=True)
    location.extensions.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(config={"extension_directory": str(location.extensions)})
        connection.execute("set TimeZone = 'UTC'")
        for name in ("ducklake", location.scanner):
            load_extension(connection, name)
        connection.execute(f"set ducklake_max_retry_count = {COMMIT_RETRIES}")
        connection.execute(_attach_statement(location, read_only))
    except duckdb.Error as error:
        raise SystemFailed(
            "DP-W002",
            f"the lake cannot be attached: {str(error).splitlines()[0][:200]}",
            where=f"catalog {location.catalog.partition(':')[0]}",
            fix="is the catalog reachable, and was it made by this version of DuckLake?",
        ) from error
    return connection


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
        "select installed from duckdb_extensions() where extension_name = $name", {"name": name}
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
