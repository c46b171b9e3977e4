"""Opening a lake: made once, read where it is, and refused in words where it cannot be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dataops_platform.kit.errors import DataOpsError, SystemFailed, UsedWrongly
from dataops_platform.warehouse import attach as attach_module
from dataops_platform.warehouse.attach import LakeLocation, another, attach, connect
from dataops_platform.warehouse.open import open_lake
from tests.fixtures import lakes

OPEN = """
import sys
from pathlib import Path
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.open import open_lake
location = LakeLocation(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
print("ready", flush=True)
sys.stdin.readline()
with open_lake(location) as lake:
    print(lake.heads("dev"))
"""


@pytest.fixture(params=lakes.CATALOGS)
def location(request: pytest.FixtureRequest, tmp_path: Path, extensions: Path) -> LakeLocation:
    """Where a lake may be; nothing is there yet, also no tables of DuckLake."""
    return lakes.location_on(request.param, request, tmp_path, extensions, is_new=True)


def test_a_lake_that_nobody_made_is_said_when_read(location: LakeLocation) -> None:
    with pytest.raises(UsedWrongly, match=r"^DP-W001 There is no lake yet"):
        open_lake(location, read_only=True)
    assert not Path(location.data).exists(), "a reader makes nothing"


def test_a_lake_whose_first_process_died_is_no_lake_yet_and_is_made_by_the_next(location: LakeLocation) -> None:
    attach(location).close()
    with pytest.raises(UsedWrongly, match=r"^DP-W001"):
        open_lake(location, read_only=True)
    if location.sqlite_path:
        location.sqlite_path.write_bytes(b"")
        with pytest.raises(UsedWrongly, match=r"^DP-W001"):
            open_lake(location, read_only=True)
    open_lake(location).connection.close()
    with open_lake(location, read_only=True) as lake:
        assert lake.heads("dev") == {}


def test_a_lake_whose_first_process_died_between_its_tables_is_made_by_the_next(location: LakeLocation) -> None:
    with attach(location) as half_made:
        half_made.execute("create schema lake._dataops")
    with pytest.raises(UsedWrongly, match=r"^DP-W001"):
        open_lake(location, read_only=True)
    open_lake(location).connection.close()
    with open_lake(location, read_only=True) as lake:
        assert lake.heads("dev") == {}


@pytest.mark.parametrize("column", ["pointer", "windows", "seen"])
@pytest.mark.parametrize("read_only", [True, False])
def test_a_lake_of_an_earlier_version_is_refused(location: LakeLocation, read_only: bool, column: str) -> None:
    open_lake(location).connection.close()
    with attach(location) as earlier:
        earlier.execute(f"alter table lake._dataops.heads drop column {column}")
    with pytest.raises(UsedWrongly, match=r"^DP-W013 The tables of this lake were created by another version"):
        open_lake(location, read_only=read_only)


def test_a_folder_that_is_missing_is_made(tmp_path: Path, extensions: Path) -> None:
    location = LakeLocation(f"sqlite:{tmp_path}/a/b/lake.sqlite", f"{tmp_path}/c/d", extensions)
    with open_lake(location) as lake:
        lakes.write(lake, "orders", "select 1 as id")
    assert list(Path(location.data).rglob("*.parquet"))


@pytest.mark.parametrize("read_only", [True, False])
def test_a_catalog_that_is_no_database_is_said_without_a_traceback(
    tmp_path: Path, extensions: Path, read_only: bool
) -> None:
    (tmp_path / "lake.sqlite").write_text("this is no database " * 100)
    location = LakeLocation(f"sqlite:{tmp_path}/lake.sqlite", f"{tmp_path}/data", extensions)
    with pytest.raises(SystemFailed, match=r"^DP-W002 The lake cannot be attached: .*not a database") as caught:
        open_lake(location, read_only=read_only)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_catalog_cut_short_is_said(tmp_path: Path, extensions: Path) -> None:
    location = LakeLocation(f"sqlite:{tmp_path}/lake.sqlite", f"{tmp_path}/data", extensions)
    with open_lake(location) as lake:
        lakes.write(lake, "orders", "select 1 as id")
    os.truncate(tmp_path / "lake.sqlite", 8192)
    with pytest.raises(SystemFailed, match=r"^DP-W002"):
        open_lake(location)


def test_an_extension_that_was_tampered_with_is_refused(
    tmp_path: Path, extensions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach_module, "OPTIONS", {})
    location = LakeLocation(f"sqlite:{tmp_path}/lake.sqlite", f"{tmp_path}/data", tmp_path / "extensions")
    connect(location, "ducklake").close()
    (installed,) = location.extensions.rglob("ducklake.duckdb_extension")
    data = bytearray(installed.read_bytes())
    data[len(data) // 2] ^= 1
    installed.unlink()  # the file itself stays mapped into this process
    installed.write_bytes(data)
    with pytest.raises(SystemFailed, match=r"DP-W002 The lake cannot be attached: .*signature"):
        attach(location)


@pytest.mark.parametrize("address", ["postgresql://u:hunter2@127.0.0.1:1/x", "host=127.0.0.1 port=1 password=hunter2"])
def test_a_catalog_out_of_reach_is_said_without_its_address(address: str, tmp_path: Path, extensions: Path) -> None:
    location = LakeLocation(f"postgres:{address}", f"{tmp_path}/data", extensions)
    for read_only in (False, True):
        with pytest.raises(SystemFailed, match=r"^DP-W002 The lake cannot be attached: .*refused") as caught:
            open_lake(location, read_only=read_only)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__suppress_context__, "the cause holds the address, and Dagster prints causes"
    assert "hunter2" not in repr(location)


def test_a_lake_moved_with_its_files_is_the_same_lake(tmp_path: Path, extensions: Path) -> None:
    with open_lake(_lake_in(tmp_path / "here", extensions)) as lake:
        head = lakes.write(lake, "orders", "select 1 as id")
    shutil.move(tmp_path / "here", tmp_path / "there")
    with open_lake(_lake_in(tmp_path / "there", extensions)) as lake:
        assert lakes.rows(lake, head) == [(1,)]
        lakes.write(lake, "orders", "select 2 as id")
        assert lakes.rows(lake, head) == [(1,)]


def test_another_folder_for_the_lakes_files_is_refused(location: LakeLocation) -> None:
    """DuckLake on SQLite would write there, and find none of the older files from then on."""
    with open_lake(location) as lake:
        lakes.write(lake, "orders", "select 1 as id")
    other = LakeLocation(location.catalog, f"{location.data}_new", location.extensions)
    for read_only in (False, True):
        with pytest.raises(DataOpsError, match=r"^DP-W00[29] .*data") as caught:
            open_lake(other, read_only=read_only)
        assert location.data in str(caught.value)
    with open_lake(location) as lake:
        assert lakes.rows(lake, lake.heads("dev")["orders"]) == [(1,)]


@pytest.mark.races
def test_processes_that_make_a_lake_at_once_make_one(location: LakeLocation) -> None:
    arguments = [sys.executable, "-c", OPEN, location.catalog, location.data, str(location.extensions)]
    children = [
        subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout and child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write("\n")
        child.stdin.flush()
    said = [child.communicate(timeout=60) for child in children]
    assert [out for out, _ in said] == ["{}\n"] * 2, [error[-600:] for _, error in said]
    with open_lake(location, read_only=True) as lake:
        tables = lake.connection.execute(
            "select table_name from duckdb_tables() where database_name = 'lake'"
        ).fetchall()
        assert sorted(tables) == [("documents",), ("heads",), ("ledger",), ("nodes",), ("unfinished",)]


def _lake_in(folder: Path, extensions: Path) -> LakeLocation:
    return LakeLocation(f"sqlite:{folder}/lake.sqlite", f"{folder}/data", extensions)


def test_a_long_query_draws_no_progress_bar_into_what_a_command_prints(location: LakeLocation) -> None:
    with open_lake(location) as lake:
        for connection in (lake.connection, another(lake.connection)):
            assert connection.sql("select current_setting('enable_progress_bar')").fetchall() == [(False,)]
