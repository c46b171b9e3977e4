"""A project, and processes that publish in it at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.events import hash_of
from dataops_platform.settings.project import DataOpsYaml, Project
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.ledger import read_rows
from dataops_platform.warehouse.open import open_lake
from tests.fixtures import lakes


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in dev."""
    return Project(tmp_path, DataOpsYaml(project="shop", owner="team:shop"), "dev")


@pytest.fixture
def race(location: LakeLocation) -> Callable[[int, int], None]:
    """Lets processes write a table each and publish all tables, then looks at the ledger and at what is shown."""

    def run(racers: int, rounds: int) -> None:
        names = [f"t{number}" for number in range(racers)]
        with open_lake(location) as lake:
            for name in names:
                lakes.write(lake, name, "select 0 as generation")
        children = [_start(location, name, names, rounds) for name in names]
        for child in children:
            assert child.stdin
            child.stdin.write("\n")
            child.stdin.flush()
        ended = [(child.communicate(timeout=300), child.returncode) for child in children]
        assert [code for _, code in ended] == [0] * racers, [error[-800:] for (_, error), _ in ended]
        with open_lake(location, read_only=True) as lake:
            _check(lake, names, rounds)

    return run


def _start(location: LakeLocation, name: str, names: list[str], rounds: int) -> subprocess.Popen[str]:
    place = (location.catalog, location.data, str(location.extensions))
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("racer.py")), *place, name, ",".join(names), str(rounds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout and child.stdout.readline() == "ready\n"
    return child


def _check(lake: Lake, names: list[str], rounds: int) -> None:
    events, state = lake.events("dev"), lake.state("dev")
    print(f"\n{len(names)} processes, {rounds} rounds each: {len(events)} publications")
    assert [event.sequence for event in events] == list(range(1, len(events) + 1)), "no gap, no fork"
    hashes = [hash_of(row.body) for row in read_rows(lake.connection, "dev")]
    assert [event.previous for event in events] == ["", *hashes[:-1]]
    assert state.hash == hashes[-1]
    assert state.cut == cut_of(lake.heads("dev").values()), "the newest version of every table is shown"
    for name in names:
        found = lake.connection.execute(f"select distinct generation from lake.dev.{name}").fetchall()
        assert found == [(rounds,)], name
