"""kill -9 while prod is promoted, published to, rolled back and resumed: whole states only; the rerun ends right."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.release.audit.verify import verify
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.open import open_lake
from tests.fixtures.campaign import CAMPAIGN
from tests.fixtures.shop import Shop
from tests.kills.mover import MODEL, MOVES

pytestmark = pytest.mark.kills

DEATHS = (
    ("promote", "keep.before_commit"),
    ("promote", "keep.after_commit"),
    ("promote", "promote.before_write"),
    ("promote", "promote.before_commit"),
    ("promote", "promote.after_commit"),
    ("publish", "publish.before_write"),
    ("publish", "publish.before_commit"),
    ("publish", "publish.after_commit"),
    ("deliver", "note.before_commit"),
    ("deliver", "note.after_commit"),
    ("rollback", "rollback.before_write"),
    ("rollback", "rollback.before_commit"),
    ("rollback", "rollback.after_commit"),
    ("resume", "note.before_commit"),
    ("resume", "note.after_commit"),
)
"""What is done to prod, and where its process dies."""
POINTS = {point for _, point in DEATHS}
KILLS = 200 if CAMPAIGN else len(DEATHS)
State = tuple[int, int, bool]
"""What prod shows: the number of its release, that in its rows, and whether it is held."""


@dataclass
class Prod:
    """What prod should show, told by nothing but a list of states."""

    path: list[tuple[int, int]] = field(default_factory=lambda: [(1, 1)])
    held: bool = False

    @property
    def state(self) -> State:
        return (*self.path[-1], self.held)

    @property
    def other(self) -> int:
        return 3 - self.path[-1][0]

    def promote(self, number: int) -> None:
        self.path.append((number, number))
        self.held = False

    def publish(self, number: int) -> None:
        self.path.append((self.path[-1][0], number))

    def deliver(self, _: int) -> None:
        """The same again changes nothing."""

    def rollback(self, _: int) -> None:
        shown = self.path[-1][0]
        while self.path[-1][0] == shown:
            self.path.pop()
        self.held = True

    def resume(self, _: int) -> None:
        self.held = False


def test_a_killed_move_leaves_a_whole_state_and_its_rerun_ends_right(
    location: LakeLocation, processes: Any, say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    wrong, kills = list[str](), 0
    folder = Path(location.data).parent
    fresh, prod = itertools.count(100), Prod()
    with open_lake(replace(location, anchors=folder / "anchors")) as lake:
        shop = Shop(lake, folder / "code", model=MODEL)
        releases = {number: shop.release(number) for number in (1, 2)}
        shop.write_code("number = 1")  # publications run under one code: that of the first release
        same_code = {number: with_code_of(shop, number, releases) for number in (1, 2)}
        ids = {release.id: number for number, release in same_code.items()}
        shop.promote(same_code[1])
        watcher = processes.start("watcher.py")
        allowed = {prod.state}

        def do(move: str, number: int) -> None:
            MOVES[move](shop, number)
            getattr(prod, move)(number)
            allowed.add(prod.state)

        for move, fault in itertools.islice(itertools.cycle(DEATHS), KILLS):
            prepare(move, prod, do)
            number = prod.other if move == "promote" else next(fresh)
            if move == "publish":
                shop.build("prod", number)
            before = prod.state
            child = processes.start("mover.py", folder / "code", move, number, faults=fault)
            _, error = child.communicate(timeout=120)
            kills += child.returncode == -signal.SIGKILL
            left = shown(shop, ids)
            do(move, number)
            if left not in (before, prod.state):
                wrong.append(f"{move} killed at {fault} left {left}; before {before}, wanted {prod.state}")
            if shown(shop, ids) != prod.state:
                wrong.append(f"{move} after {fault} gave {shown(shop, ids)}, wanted {prod.state}; {error[-300:]}")
        saw = processes.stop(watcher)
        assert wrong == []
        assert [one.faults for one in verify(lake)] == [(), ()]
    torn = [one for one in saw["seen"] if not one["whole"] or state_of(one, ids) not in allowed]
    assert torn == []
    assert kills == KILLS
    say(
        f"{request.node.name}: {kills} kills, {saw['reads']} reads of {len(saw['seen'])} states, {len(torn)} torn, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def prepare(move: str, prod: Prod, do: Callable[[str, int], None]) -> None:
    """Brings prod where the move can be made."""
    if move == "rollback" or (move == "resume" and not prod.held):
        do("promote", prod.other)
    if move == "resume" and not prod.held:
        do("rollback", 0)
    if move in ("publish", "deliver") and prod.held:
        do("resume", 0)


def with_code_of(shop: Any, number: int, releases: Mapping[int, Any]) -> Any:
    """The release of this number's rows, made with the code at hand."""
    from dataops_platform.release.build import freeze

    return freeze(shop.session("dev"), releases[number].cut)


def shown(shop: Any, ids: Mapping[str, int]) -> State | None:
    """What prod shows, if that is a whole state."""
    state = shop.lake.state("prod")
    models = [member.version for member in state.cut.members if member.kind == "model"]
    rows = {name: shop.rows("prod", name) for name in ("orders", "sales")}
    return state_of({"release": state.release, "held": state.held, "models": models, **rows}, ids)


def state_of(seen: Mapping[str, Any], ids: Mapping[str, int]) -> State | None:
    release, ((number,),), ((ten_times,),) = ids[seen["release"]], seen["orders"], seen["sales"]
    is_whole = ten_times == 10 * number and seen["models"] == [str(release)]
    return (release, number, seen["held"]) if is_whole else None
