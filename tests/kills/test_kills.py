"""kill -9 anywhere: readers see whole publications, and the plain rerun ends where an undisturbed run ends."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from dataops_platform.kit.faults import FAULT_POINTS
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.open import open_lake

pytestmark = pytest.mark.kills

FAULTS = [
    f"{point}:{visit}"
    for point in FAULT_POINTS
    if point.partition(".")[0] in ("stage", "publish", "adopt", "restore")
    for visit in ((1, 2) if point.startswith("stage.") else (1,))
]
MOMENTS = 6

Writer = Any
Torture = Callable[[Mapping[str, Callable[[int], Writer]]], int]


def test_a_writer_killed_at_any_fault_point_leaves_whole_publications(processes: Any, torture: Torture) -> None:
    def dies_at(fault: str) -> Callable[[int], Writer]:
        return lambda generation: processes.start("child.py", generation, generation + 1, faults=fault)

    assert torture({fault: dies_at(fault) for fault in FAULTS}) == len(FAULTS)


def test_a_writer_killed_at_any_moment_leaves_whole_publications(processes: Any, torture: Torture) -> None:
    chance = random.Random(11)

    def dies_after(share: float) -> Callable[[int], Writer]:
        def start(generation: int) -> Writer:
            child: Writer = processes.start("child.py", generation, generation + 1)
            assert child.stdout
            began = time.monotonic()
            child.stdout.readline()
            time.sleep(share * (time.monotonic() - began))
            child.kill()
            return child

        return start

    shares = [(number + chance.random()) / MOMENTS for number in range(MOMENTS)]
    assert torture({f"after {share:.2f}": dies_after(share) for share in shares}) > 0


@pytest.fixture
def torture(
    processes: Any,
    undisturbed: Callable[[int], list[str]],
    say: Callable[[str], None],
    request: pytest.FixtureRequest,
) -> Torture:
    """Lets one writer after another die while a reader looks; counts the dead.

    Each runs the generation in which the one before it died, as if nothing had happened, and dies in the next.
    """

    def run(writers: Mapping[str, Callable[[int], Writer]]) -> int:
        wrong, killed, again = list[str](), 0, 1  # the first writer finds its first generation there
        processes.run(1, 1)
        reader = processes.start("reader.py")
        for generation, (how, start) in enumerate(writers.items(), 1):
            writer = start(generation)
            _, error = writer.communicate()
            killed += writer.returncode == -signal.SIGKILL
            if writer.returncode not in (0, -signal.SIGKILL):
                wrong.append(f"{how}: {error[-500:]}")
            ahead = len(_published(processes.location)[0]) - generation
            if ahead not in (0, 1):
                wrong.append(f"{how}: generation {generation} is not what is published")
            again += ahead
        last = len(writers) + 1
        processes.run(last, last)
        saw = processes.stop(reader)
        publications, duplicates = _published(processes.location)
        say(
            f"{request.node.name}: {killed} kills, {saw['reads']} reads, {len(saw['torn'])} torn reads, "
            f"{duplicates} batches delivered again, load {os.getloadavg()[0]:.1f}"
        )
        assert wrong == []
        assert saw["torn"] == []
        assert saw["seen"] == sorted(set(saw["seen"])), "a publication came back"
        assert publications == undisturbed(last)
        assert duplicates == again, "each batch that was there already leaves one event, and no other does"
        return killed

    return run


def _published(location: LakeLocation) -> tuple[list[str], int]:
    """The publications so far and the number of duplicates, after a look at whether ledger, views and heads are whole.

    A duplicate moves nothing: the ledger goes on from the publication before it, and so do the views.
    """
    with open_lake(location, read_only=True) as lake:
        events, state = lake.events("dev"), lake.state("dev")
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert state.event == events[-1]
        publications = [event for event in events if event.kind == "publication"]
        duplicates = [(one, two) for one, two in itertools.pairwise(events) if two.kind == "duplicate"]
        assert len(publications) + len(duplicates) == len(events)
        assert all(two.publication == one.publication for one, two in duplicates)
        assert state.moved == publications[-1]
        views = lake.connection.execute(
            "select view_name, sql from duckdb_views() where database_name = 'lake' and schema_name = 'dev'"
        ).fetchall()
        pinned = {name: re.findall(r"VERSION => (\d+)", sql) for name, sql in views}
        assert pinned == {member.name: [member.version] for member in state.cut.members}
        for head in lake.heads("dev").values():
            found = digests(lake.connection, f"(from {lake.relation('dev', head)})", list(head.partitions))
            assert {part: str(digest) for part, digest in found.items()} == {
                m.partition: m.digest for m in head.manifests
            }
        return [event.publication for event in publications], len(duplicates)
