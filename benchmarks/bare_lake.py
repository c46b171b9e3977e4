"""The lake as a plain Dagster resource: one connection for the whole run, and one statement a write."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
from pydantic import PrivateAttr

BUILD = "dev__build"
SHOWN = "dev"


def connect(root: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the lake of a project attached as `lake`, with the options DuckLake's manual advises."""
    connection = duckdb.connect(config={"extension_directory": extensions(root)})
    connection.execute("set TimeZone = 'UTC'")
    for name in ("ducklake", "sqlite_scanner"):
        connection.execute(f"install '{_wheel_file(name)}'")
        connection.execute(f"load {name}")
    options = ", ".join(f"{key} '{value}'" for key, value in attach_options(root).items())
    connection.execute(f"attach 'ducklake:{catalog(root)}' as lake ({options})")
    for schema in (BUILD, SHOWN):
        connection.execute(f"create schema if not exists lake.{schema}")
    return connection


def catalog(root: Path) -> str:
    """The lake's catalog."""
    return f"sqlite:{root / '.bare' / 'lake.sqlite'}"


def extensions(root: Path) -> str:
    """The folder of DuckDB's extensions."""
    return str(root / ".bare" / "extensions")


def attach_options(root: Path) -> dict[str, str]:
    """The options every connection to the lake is opened with."""
    return {"data_path": str(root / ".bare" / "data"), "meta_journal_mode": "WAL", "meta_busy_timeout": "5000"}


class Lake(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The lake of the project in the folder `root`."""

    root: str
    _connection: duckdb.DuckDBPyConnection = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Lake]:
        """Dagster opens a resource once a run where all steps share a process, so the connection is shared too."""
        self._connection = connect(Path(self.root))
        try:
            yield self
        finally:
            self._connection.close()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The run's connection."""
        return self._connection

    def write(self, name: str, select: str, partitions: list[str]) -> int:
        """Writes the rows of `select` in place of a table's, or of those of its partitions; gives their number."""
        target = f"lake.{BUILD}.{name}"
        if not partitions:
            return self._rows(f"create or replace table {target} as {select}")
        self._connection.execute("begin")
        self._connection.execute(f"create table if not exists {target} as {select} limit 0")
        self._connection.execute(f"alter table {target} set partitioned by (_dp_partition)")
        self._connection.execute(f"delete from {target} where list_contains($1, _dp_partition)", [partitions])
        rows = self._rows(f"insert into {target} by name {select}")
        self._connection.execute("commit")
        return rows

    def _rows(self, statement: str) -> int:
        return int(self._connection.execute(statement).fetchall()[0][0])


def _wheel_file(name: str) -> Path:
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    return folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
