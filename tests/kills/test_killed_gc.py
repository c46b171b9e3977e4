"""kill -9 while versions are given up: readers see whole publications, kept states come back, the rerun ends right."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.errors import Refused
from dataops_platform.manifests.cut import Cut
from dataops_platform.release.promotion.switch import roll_back
from dataops_platform.settings.project import DataOpsYaml, Project
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.expiry import snapshots
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import open_lake
from tests.fixtures.lakes import session_of

pytestmark = pytest.mark.kills

TABLES = ("orders", "lines", "totals")


def files(location: LakeLocation) -> set[str]:
    return {path.name for path in Path(location.data).rglob("*.parquet")}


def known_files(lake: Lake) -> set[str]:
    found = lake.connection.execute(
        "select path from __ducklake_metadata_lake.ducklake_data_file union all "
        "select path from __ducklake_metadata_lake.ducklake_delete_file"
    ).fetchall()
    return {Path(path).name for (path,) in found}


def content(cut: Cut) -> dict[str, str]:
    return {member.name: member.digest for member in cut.members}


def shown(lake: Lake) -> dict[str, str]:
    return {name: str(digests(lake.connection, f"lake.dev.{name}", [""])[""]) for name in TABLES}


@pytest.mark.parametrize("fault", ["gc.before_expire", "gc.after_expire", "gc.after_files"])
def test_a_killed_gc_is_ended_by_the_next(fault: str, processes: Any, say: Callable[[str], None]) -> None:
    location = processes.location
    processes.run(1, 5)
    with open_lake(location) as lake:
        states = {event.sequence: content(lake.cut(event)) for event in lake.events("dev")[-2:]}
        before = snapshots(lake.connection)
    there = files(location)
    reader = processes.start("reader.py")
    killed = processes.start("collector.py", faults=fault)
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    again = processes.start("collector.py")
    _, error = again.communicate(timeout=120)
    assert again.returncode == 0, error[-2000:]
    saw = processes.stop(reader)
    project = Project(Path(), DataOpsYaml(project="shop", owner="team:shop"), "dev")
    with open_lake(location) as lake:
        session = session_of(project, lake)
        left, gone = snapshots(lake.connection), there - files(location)
        assert files(location) <= known_files(lake), "no file is left over"
        assert known_files(lake) <= files(location), "none is missing"
        for number, digest in states.items():
            roll_back(session, str(number))
            assert shown(lake) == digest
        with pytest.raises(Refused, match="DP-L091"):
            roll_back(session, "1")
    assert saw["torn"] == []
    assert len(gone) > 5
    assert before - left
    say(f"gc killed at {fault}: {len(before - left)} snapshots, {len(gone)} of {len(there)} files gone after the rerun")
