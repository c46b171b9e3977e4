"""Many processes at once on one environment: of promotions one wins, publications all get in, the chain is one."""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.release.audit.verify import verify
from dataops_platform.release.promotion.approvals import approve
from dataops_platform.release.promotion.plan import PLAN, Plan
from dataops_platform.release.promotion.promote import gates_of, promote
from dataops_platform.release.release import Release
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse import documents, foreign_write
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import open_lake
from tests.fixtures.campaign import CAMPAIGN
from tests.fixtures.command_line import commit_all, git
from tests.fixtures.lakes import session_of
from tests.fixtures.shop import Shop, manifest

pytestmark = pytest.mark.races

CATALOGS = ["sqlite", pytest.param("postgres", marks=pytest.mark.service)]
SIZES = (2, 3, 4, 6, 8, 12, 16)
RACES = 100 if CAMPAIGN else len(SIZES)
MOST = max(SIZES)
TABLES = [f"w{number}" for number in range(MOST)]
DELIVERIES = 50
MADE = "2013-01-01T00:00:00+00:00"


DATAOPS_YAML = """\
project: shop
owner: team:shop
environments:
  dev: {}
  prod: {from: dev, gates: [{approval: {by: [ann]}}]}
"""


@pytest.fixture
def shop(location: LakeLocation, tmp_path: Path) -> Iterator[Any]:
    """A lake, and the committed folder of a project; to show a release in prod takes a yes from ann."""
    with open_lake(location) as lake:
        made = Shop(lake, tmp_path / "shop")
        made.write_code("")
        (made.root / "dataops.yaml").write_text(DATAOPS_YAML)
        git(made.root, "init", "--quiet")
        commit_all(made.root, "As it stands")
        yield made


def release(shop: Any, number: int) -> Release:
    from dataops_platform.release.build import freeze

    seed(shop.lake, number)
    return freeze(shop.session("dev"), cut_of(shop.lake.heads("dev").values()))


def approved_plan(shop: Any, release: Release) -> Plan:
    """A plan to show a release in prod, which ann approved; its differences are looked at elsewhere."""
    prod = load_project(shop.root, "prod")
    pointer = shop.lake.state("prod")
    made = Plan("prod", release.id, pointer.pointer, gates_of(prod), pointer.release, (), {}, "bob", MADE)
    documents.keep(shop.lake, PLAN, made.id, made.to_plain())
    approve(session_of(prod, shop.lake), made)
    return made


def seed(lake: Lake, number: int) -> None:
    """Makes all tables in one transaction; one by one would take longer than the races."""
    lake.create_schema("dev__build")
    with lake.transaction():
        for name in TABLES:
            select = f"select {number} as number from range(3)"
            lake.connection.execute(f"create or replace table lake.dev__build.{name} as {select}")
    version = lake.current_version()
    digest = digests(lake.connection, f"lake.dev__build.{TABLES[0]}", [WHOLE])[WHOLE]
    foreign_write.adopt(lake, [manifest("dev", name, WHOLE, str(digest), (), 3) for name in TABLES], version, "seed")


@pytest.mark.parametrize("location", CATALOGS, indirect=True)
def test_of_promotions_at_once_one_wins_and_publications_all_get_in(
    shop: Any, pool: Callable[[int], Any], say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    chance, count, began = random.Random(5), Counter[str](), time.monotonic()
    releases = [release(shop, number) for number in (1, 2, 3)]
    promote(session_of(load_project(shop.root, "prod"), shop.lake), approved_plan(shop, releases[0]))
    with pool(MOST) as racers:
        for number in range(RACES):
            size = SIZES[number % len(SIZES)]
            orders = list(orders_of(shop, releases, number, size, chance))
            before = shop.lake.state("prod")
            answers = racers.race(orders)
            count.update(judge(shop.lake, racers.names, before, orders, answers, number))
    seconds = time.monotonic() - began
    catalog = "PostgreSQL" if "postgres" in request.node.name else "SQLite"
    say(
        f"{catalog}: {RACES} races of 2-{MOST} processes, {count['promotion']} promotions won, {count['lost']} lost "
        f"with the winner named, {count['publication']} publications, {count['duplicate']} duplicates, "
        f"{count['events']} events in one chain; {seconds:.0f} s, load {os.getloadavg()[0]:.1f}"
    )


def orders_of(
    shop: Any, releases: Sequence[Release], number: int, size: int, chance: random.Random
) -> Iterator[Mapping[str, Any]]:
    """A race of promotions, of publications or of both; promotions of one plan, or of several for one pointer."""
    kind = ("both", "promotions", "publications")[number % 3]
    shown = shop.lake.state("prod").release
    others = [one for one in releases if one.id != shown]
    plans = [approved_plan(shop, one) for one in others[: 1 + number % 2]]
    for racer in range(size):
        if kind == "promotions" or (kind == "both" and racer % 2 == 0):
            yield {"do": "promote", "plan": chance.choice(plans).id}
        else:
            yield {
                "do": "publish",
                "environment": "prod",
                "table": f"w{racer}",
                "number": 100 + number,
                "tables": TABLES,
            }


def judge(
    lake: Lake, names: Sequence[str], before: Any, orders: Sequence[Any], answers: Sequence[Any], number: int
) -> Iterator[str]:
    """What a race came to, counted; fails where anything was lost, doubled or torn."""
    promotions = [(name, a) for name, o, a in zip(names, orders, answers, strict=False) if o["do"] == "promote"]
    publications = [a for o, a in zip(orders, answers, strict=True) if o["do"] == "publish"]
    new = [event for event in lake.events("prod") if event.sequence > before.sequence]
    (verified,) = verify(lake, "prod")
    assert verified.faults == ()
    assert [event.sequence for event in new] == list(range(before.sequence + 1, before.sequence + len(new) + 1))
    assert [a["exit_code"] for a in publications] == [0] * len(publications), answers
    assert sum(event.kind in ("publication", "duplicate") for event in new) == len(publications)
    won = [event for event in new if event.kind == "promotion"]
    winners = [name for name, a in promotions if a["exit_code"] == 0]
    assert winners == [event.actor for event in won]
    assert len(winners) == bool(promotions)
    for _, lost in (pair for pair in promotions if pair[0] not in winners):
        assert (lost["exit_code"], lost["code"]) in ((3, "DP-L010"), (3, "DP-L074")), lost
        first = "carried out this plan first" if lost["code"] == "DP-L074" else "came first"
        assert re.search(rf"\b{winners[0]} {first}: promotion of release {won[0].release[7:19]}", lost["said"])
    state, heads = lake.state("prod"), lake.heads("prod")
    assert state.cut.id == cut_of(heads.values()).id, "what was built last is shown"
    for member in state.cut.members:
        found = lake.connection.execute(f"select count(*) from lake.prod.{member.name}").fetchone()
        assert found == (member.rows,)
    if not promotions:
        for name in names[: len(orders)]:
            found = lake.connection.execute(f"select distinct number from lake.prod.{name}").fetchall()
            assert found == [(100 + number,)], "no publication was lost"
    yield from (event.kind for event in new)
    yield from ["lost"] * (len(promotions) - len(winners))
    yield from ["events"] * len(new)


@pytest.mark.parametrize("location", CATALOGS, indirect=True)
def test_the_same_batch_delivered_fifty_times_at_once_and_later_is_published_once(
    shop: Any, pool: Callable[[int], Any], say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    size = 8
    shop.write("dev", "orders", 0)
    order = {"do": "deliver", "environment": "dev", "table": "orders", "number": 7, "tables": ["orders"]}
    answers: list[Any] = []
    with pool(size) as racers:
        while len(answers) < DELIVERIES:  # at once, and then again, later
            answers += racers.race([order] * min(size, DELIVERIES - len(answers)))
    events = shop.lake.events("dev")
    count = Counter(event.kind for event in events)
    assert [a["exit_code"] for a in answers] == [0] * DELIVERIES
    assert count == {"publication": 1, "duplicate": DELIVERIES - 1}
    assert sum(a["moved"] for a in answers) == 1
    assert events[0].kind == "publication"
    state = shop.lake.state("dev")
    assert state.moved == events[0], "nothing moved after that"
    assert shop.lake.connection.execute("select distinct number from lake.dev.orders").fetchall() == [(7,)]
    assert verify(shop.lake, "dev")[0].faults == ()
    say(f"{request.node.name}: {DELIVERIES} deliveries of one batch: 1 publication, {count['duplicate']} duplicates")
