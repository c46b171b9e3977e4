"""Clock, paths and SQL names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dataops_platform.kit.clock import ago, utc_now
from dataops_platform.kit.paths import find_upward, relative_to
from dataops_platform.kit.sql import identifier, identifiers, literal


def test_now_is_aware_and_in_utc() -> None:
    assert utc_now().tzinfo is UTC


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0 S"), (0, "0 S"), (59.9, "59 S"), (60, "1 MIN"), (3599, "59 MIN"), (3600, "1 H"), (86400 * 3 + 1, "3 D")],
)
def test_a_span_of_time_is_shown_in_its_largest_whole_unit(seconds: float, shown: str) -> None:
    now = datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert ago(now - timedelta(seconds=seconds), now) == shown


def test_a_file_is_found_in_the_nearest_folder_above_and_a_folder_of_that_name_is_not(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "dataops.yaml").touch()
    (tmp_path / "a" / "dataops.yaml").mkdir()
    assert find_upward("dataops.yaml", inner) == tmp_path / "dataops.yaml"
    (inner / "dataops.yaml").touch()
    assert find_upward("dataops.yaml", inner) == inner / "dataops.yaml"
    assert find_upward("no_such_file.yaml", inner) is None


def test_a_path_is_shown_from_the_root_or_by_its_last_part() -> None:
    assert relative_to(Path("/p/data/x.csv"), Path("/p")) == "data/x.csv"
    assert relative_to(Path("/elsewhere/x.csv"), Path("/p")) == "x.csv"


@pytest.mark.parametrize("name", ["a", "A b", 'say "hi"', "select", "é", "a;drop table x", "--", "1"])
def test_any_name_survives_quoting(name: str) -> None:
    connection = duckdb.connect()
    connection.execute(
        f"create table {identifier(name)} as select 1 as {identifier(name)}, 2 as {identifier(name + '2')}"
    )
    found = connection.execute(f"select {identifiers([name + '2', name])} from {identifier(name)}")
    assert [column[0] for column in found.description] == [name + "2", name]
    assert found.fetchall() == [(2, 1)]


@pytest.mark.parametrize("text", ["", "a", "it's", "''", "\\", "a;--", "\n"])
def test_any_text_survives_quoting(text: str) -> None:
    assert duckdb.execute(f"select {literal(text)}").fetchone() == (text,)
