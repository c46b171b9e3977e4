"""Whatever is done to an environment, and wherever it breaks off: it shows what a plain list of states says."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.release.audit.verify import verify
from dataops_platform.release.promotion.switch import resume, roll_back
from dataops_platform.settings.environments import EnvironmentSettings
from dataops_platform.warehouse import lake as lake_module
from tests.fixtures.campaign import CAMPAIGN
from tests.fixtures.shop import Shop

RELEASES = 3
STEPS = 10
MANY, PARTS = (200, 4) if CAMPAIGN else (15, 1)
"""So many stories in so many tests, which can be told at once."""
BEFORE, AFTER = ("before_write", "before_commit"), "after_commit"
CRASHES = st.sampled_from([None, None, None, *BEFORE, AFTER])


class Crashed(Exception):
    """The process died here."""


@dataclass(frozen=True)
class Shown:
    """One state: the number of its event, of its release, and that in its rows."""

    sequence: int
    release: int
    rows: int


@dataclass
class Model:
    """What an environment should show: the states that led to the one shown, and nothing else to find them by."""

    path: list[Shown] = field(default_factory=list)
    led_to: dict[int, list[Shown]] = field(default_factory=dict)
    held: bool = False
    back: tuple[str, int] | None = None
    """How the last rollback was asked for and where it went, until something else moved."""
    built: int = 0

    @property
    def now(self) -> Shown:
        return self.path[-1]

    def moved(self, state: Shown) -> None:
        self.path = [*self.path, state]
        self.led_to[state.sequence] = self.path
        self.back = None

    def target(self, back: str, to: int) -> Shown | None:
        if back == "to":
            return self.led_to[to][-1]
        for state in reversed(self.path):
            if back == "release" and state.release != self.now.release:
                return state
            if back == "data" and state.release != self.now.release:
                return None
            if back == "data" and state.rows != self.now.rows:
                return state
        return None


class Story(RuleBasedStateMachine):
    """A story of one environment, which is told in a lake that other stories share."""

    shop: ClassVar[Any]
    releases: ClassVar[dict[int, Any]]
    numbers: ClassVar[Iterator[int]] = itertools.count(1)
    count: ClassVar[Counter[str]]
    publications: ClassVar[dict[int, str]] = {}
    """The id of what has these rows, whoever shows it and under whatever release."""

    def __init__(self) -> None:
        super().__init__()
        self.environment = f"e{next(self.numbers)}"
        type(self.shop).environments[self.environment] = EnvironmentSettings.model_validate({"from": "dev"})
        self.model = Model()
        self.seen_built = self.seen_sequence = 0
        self.count["stories"] += 1

    @property
    def lake(self) -> Any:
        return self.shop.lake

    @initialize(number=st.integers(1, RELEASES))
    def first_promotion(self, number: int) -> None:
        self.promote(number, None)

    @rule(number=st.integers(1, RELEASES), crash=CRASHES)
    def promote(self, number: int, crash: str | None) -> None:
        model, release = self.model, self.releases[number]
        same = bool(model.path) and (model.now.release, model.now.rows, model.held) == (number, number, False)
        happened = self.tried("promote", crash, lambda: self.shop.promote(release, self.environment), nothing=same)
        if happened and not same:
            model.moved(Shown(self.sequence(), number, number))
            model.held, model.built = False, number

    @rule(number=st.integers(11, 19))
    def build(self, number: int) -> None:
        self.shop.build(self.environment, number)
        self.model.built = number

    @rule(number=st.integers(11, 19), crash=CRASHES)
    def run(self, number: int, crash: str | None) -> None:
        self.build(number)
        self.publish(crash, True)

    @rule(crash=CRASHES, rights=st.sampled_from([True, True, True, False]))
    def publish(self, crash: str | None, rights: bool) -> None:
        model = self.model
        self.shop.write_code(f"number = {model.now.release if rights else 0}")
        if not rights or model.held:
            with pytest.raises(Refused, match=r"^DP-(R007|P103)"):
                self.shop.publish(self.environment)
            return
        if self.model.built == model.now.rows:
            self.shop.publish(self.environment)
            assert self.lake.state(self.environment).event.kind == "duplicate"
        elif self.tried("publish", crash, lambda: self.shop.publish(self.environment)):
            model.moved(Shown(self.sequence(), model.now.release, model.built))

    @rule(back=st.sampled_from(["release", "data", "to"]), crash=CRASHES, data=st.data())
    def rollback(self, back: str, crash: str | None, data: Any) -> None:
        model = self.model
        to = data.draw(st.sampled_from(sorted(model.led_to))) if back == "to" else 0
        asked: Callable[[], Any] = lambda: roll_back(  # noqa: E731
            self.shop.session(self.environment), str(to) if to else "", data=back == "data"
        )
        if model.held and model.back and back != "to" and model.back[0] == back:
            assert self.unmoved(asked)
            return
        target = model.target(back, to)
        if target is None:
            with pytest.raises(UsedWrongly, match=r"^DP-L07[56]"):
                asked()
            return
        if model.held and model.back and model.back[1] == target.sequence:
            assert self.unmoved(asked)
            return
        if self.tried("rollback", crash, asked):
            model.path = model.led_to[target.sequence]
            model.held, model.back, model.built = True, (back, target.sequence), target.rows

    @precondition(lambda self: self.model.path)
    @rule(crash=st.sampled_from([None, None, "before_commit", AFTER]))
    def resume(self, crash: str | None) -> None:
        asked: Callable[[], Any] = lambda: resume(self.shop.session(self.environment))  # noqa: E731
        if not self.model.held:
            with pytest.raises(UsedWrongly, match="DP-L012"):
                asked()
        elif self.tried("note", crash, asked):
            self.model.held = False

    @invariant()
    def shows_what_the_list_says(self) -> None:
        if not self.model.path:
            return
        now, state = self.model.now, self.lake.state(self.environment)
        release = self.releases[now.release]
        assert (state.release, state.code, state.held) == (release.id, release.code, self.model.held)
        assert self.publications.setdefault(now.rows, state.publication) == state.publication
        assert self.shop.rows(self.environment, "orders") == [(now.rows,)]
        if self.model.built != self.seen_built or state.sequence != self.seen_sequence:
            assert self.shop.built(self.environment, "orders") == [(self.model.built,)]
            self.seen_built, self.seen_sequence = self.model.built, state.sequence
        self.count["steps"] += 1

    def teardown(self) -> None:
        (found,) = verify(self.lake, self.environment)
        assert found.faults == ()
        self.count["events"] += found.events
        del type(self.shop).environments[self.environment]

    def tried(self, fault: str, crash: str | None, asked: Callable[[], Any], *, nothing: bool = False) -> bool:
        """Does what is asked, or dies on the way; whether it happened. `nothing`: there is nothing to do."""
        if crash is None or nothing:
            return bool(asked()) or True
        with dying_at(f"{fault}.{crash}"), pytest.raises(Crashed):
            asked()
        self.count["crashes"] += 1
        return crash == AFTER

    def unmoved(self, asked: Callable[[], Any]) -> bool:
        before = self.sequence()
        asked()
        return self.sequence() == before

    def sequence(self) -> int:
        found: int = self.lake.state(self.environment).sequence
        return found


@contextmanager
def dying_at(point: str) -> Iterator[None]:
    """Inside, whoever comes to a fault point gets no further."""

    def fault_point(name: str) -> None:
        if name == point:
            raise Crashed(name)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lake_module, "fault_point", fault_point)
        yield


def back_and_back_again(story: Any) -> None:
    """Tells the shortest story in which a rollback starts from a rollback, which few random stories have."""
    for number in (1, 2, 3):
        story.promote(number, None)
    for _ in range(3):  # to the second release, to the first, and no further
        story.rollback("release", None, None)
        story.shows_what_the_list_says()
        story.resume(None)
    story.teardown()


@pytest.mark.parametrize(
    "part, stories",
    [(0, 3), *(pytest.param(part, MANY // PARTS, marks=pytest.mark.kills) for part in range(1, PARTS + 1))],
)
def test_an_environment_shows_what_a_list_of_its_states_says(
    part: int, stories: int, new_shop: Shop, say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    if part and "postgres" in request.node.name and not CAMPAIGN:
        pytest.skip("many stories on PostgreSQL are told in `make campaign`, few in `make services`")
    count = Counter[str]()
    new_shop.lake.connection.execute("set threads = 1")  # more take twice as long for tables of one row
    shop = replace(new_shop, tables=("orders",))
    releases = {number: shop.release(number) for number in range(1, RELEASES + 1)}
    told = type("Told", (Story,), {"shop": shop, "releases": releases, "count": count, "publications": {}})
    back_and_back_again(told())
    run_state_machine_as_test(
        seed(part)(told),
        settings=settings(
            max_examples=stories,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    say(
        f"{count['stories']} stories of {count['steps']} steps, {count['crashes']} crashes and {count['events']} "
        "events: each shows what a list of its states says"
    )
    assert count["stories"] >= stories
