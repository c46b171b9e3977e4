"""The report on promotions comes from the ledger and git's times; there are no numbers where there are none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.events import Publication
from dataops_platform.release.audit.delivery_metrics import Report, report_lines, report_of
from dataops_platform.release.promotion.switch import resume, roll_back

START = datetime(2013, 3, 1, 12, tzinfo=UTC)
HOUR = 3600.0


@pytest.fixture
def at(world: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock of the lake and of git to so many hours after the start."""

    def move(hours: float) -> None:
        world.now = START + timedelta(hours=hours)
        for name in ("GIT_COMMITTER_DATE", "GIT_AUTHOR_DATE"):
            monkeypatch.setenv(name, world.now.isoformat())

    move(0)
    return move


def told(world: Any, since: str = "") -> Report:
    return report_of(world.session(), since)


def released(world: Any, number: int) -> Any:
    world.write(f"select {number} as id, 1.0 as amount, null::varchar as email")
    return world.release(message=f"number {number}")


def test_the_numbers_are_those_of_the_story(world: Any, at: Callable[[float], None]) -> None:
    first = released(world, 1)
    at(10)
    world.promote(world.plan(first))
    at(12)
    world.file("README.md", "A shop.")
    world.commit("on the way")
    at(20)
    second = released(world, 2)
    at(32)
    world.promote(world.plan(second))
    at(35)
    roll_back(world.session())
    at(40)
    resume(world.session())
    at(44)
    third = released(world, 3)
    at(14 * 24)
    found = told(world)
    assert [one.waited_s for one in found.promotions] == [(10 * HOUR,), (12 * HOUR, 20 * HOUR)]
    assert found.lead_time_s == 12 * HOUR
    assert (found.failed, found.failed_share) == (1, 0.5)
    assert found.restore_s == 3 * HOUR
    assert found.per_week == pytest.approx(2 / ((14 * 24 - 10) / (7 * 24)))
    assert found.refused == 0
    assert dict(report_lines(found)) == {
        "promotions": "2",
        "a week": "1.0",
        "lead time, commit to promotion": "12.0 h",
        "taken back": "1 of 2 (50%)",
        "time to restore": "3.0 h",
        "refused by a gate, not approval": "none yet",
    }
    assert third.id not in {one.release for one in found.promotions}
    later = told(world, "2013-03-02T12:00")
    assert [one.release for one in later.promotions] == [second.id]
    assert later.lead_time_s == 16 * HOUR
    assert told(world, "2013-03-10").lead_time_s is None
    world.promote(world.plan(second))
    assert told(world).promotions[-1].waited_s == (), "a commit counts once, when it is first delivered"


@pytest.mark.journey
def test_what_is_promoted_again_has_not_waited_again(world: Any, at: Callable[[float], None]) -> None:
    for hour in (1, 2):
        last = released(world, hour)
        at(hour)
        world.promote(world.plan(last))
    at(3)
    roll_back(world.session())
    at(50)
    world.promote(world.plan(last))
    assert [one.waited_s for one in told(world).promotions] == [(HOUR,), (HOUR,), ()]
    assert told(world).failed == 1


@pytest.mark.journey
def test_a_rollback_within_a_release_takes_no_promotion_back(world: Any, at: Callable[[float], None]) -> None:
    world.promote(world.plan(released(world, 1)))
    state = world.lake.state("prod")
    world.write("select 9 as id, 1.0 as amount, null::varchar as email")
    world.lake.switch("prod", cut_of([world.lake.heads("dev")["orders"]]), state, Publication(actor="x"))
    roll_back(world.session(), data=True)
    found = told(world)
    assert (found.failed, found.failed_share, found.restore_s) == (0, 0.0, None)
    assert dict(report_lines(found))["taken back"] == "0 of 1 (0%)"


@pytest.mark.usefixtures("own_package")
@pytest.mark.journey
def test_a_refused_promotion_is_in_the_ledger_and_counts_once_a_plan(world: Any, at: Callable[[float], None]) -> None:
    world.file("src/shop/__init__.py", "")
    world.file("src/shop/gates.py", "def no(question):\n    return False, 'it is Friday'\n")
    world.gates("shop.gates:no")
    plan = world.plan(released(world, 1))
    pointer = world.lake.state("prod").pointer
    for _ in range(2):
        with pytest.raises(Refused, match="DP-G001"):
            world.promote(plan)
    events = world.lake.events("prod")
    assert [(e.kind, e.actor, e.refused, e.plan) for e in events] == [("refused", "ann", plan.release, plan.id)] * 2
    assert world.lake.state("prod").pointer == pointer, "it makes no plan stale"
    found = told(world)
    assert (found.refused, found.promotions, found.failed_share) == (1, (), None)


def test_waiting_for_an_approval_is_no_refusal(world: Any, at: Callable[[float], None]) -> None:
    world.gates("{approval: {by: [bob]}}")
    with pytest.raises(Refused, match="DP-G001"):
        world.promote(world.plan(released(world, 1)))
    assert [e.kind for e in world.lake.events("prod")] == ["refused"]
    assert told(world).refused == 0


def test_there_are_no_numbers_where_there_are_none(world: Any) -> None:
    found = told(world)
    assert {number for _, number in report_lines(found)} == {"none yet"}
    assert (found.lead_time_s, found.per_week, found.restore_s, found.failed_share) == (None, None, None, None)


@pytest.mark.journey
def test_a_commit_that_git_does_not_know_here_has_no_time(world: Any, at: Callable[[float], None]) -> None:
    world.promote(world.plan(released(world, 1)))
    shutil.rmtree(world.folder / ".git")
    found = told(world)
    assert (len(found.promotions), found.lead_time_s) == (1, None)


def test_a_moment_that_is_none_is_refused(world: Any) -> None:
    with pytest.raises(UsedWrongly, match="DP-L065"):
        told(world, "yesterday")


def test_the_command_says_the_same_as_text_and_as_json(
    world: Any, at: Callable[[float], None], dataops_in: Callable[..., Any]
) -> None:
    world.promote(world.plan(released(world, 1)))
    dataops = dataops_in(world.folder)
    said = dataops("report", "--json").json
    assert (len(said["promotions"]), said["failed"], said["refused"]) == (1, 0, 0)
    assert said["promotions"][0]["waited_s"] == [0.0]
    text = dataops("report", "--env", "prod").text
    assert "lead time, commit to promotion 0 s" in text
    assert "time to restore none yet" in text
    assert os.environ.get("DATAOPS_ENV") is None
