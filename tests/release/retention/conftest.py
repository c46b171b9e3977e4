"""A shop whose tables change day by day while prod shows one release after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.events import Move, Promotion, Publication
from dataops_platform.settings.project import DataOpsYaml, Project
from dataops_platform.warehouse import foreign_write
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State
from tests.fixtures import lakes
from tests.fixtures.lakes import location as location  # on both catalogs, in a folder of its own

TABLES = ("orders", "lines", "totals")


@dataclass
class Shop:
    """`orders` is written whole, `lines` by partition, `totals` by another writer. A day passes with every event."""

    lake: Lake
    project: Project
    today: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    shown: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    """The digest of each view at each event of an environment."""

    def session(self, environment: str = "prod") -> Session:
        return Session(replace(self.project, environment=environment), self.lake, lakes.ANN, self.now)

    def now(self) -> datetime:
        return self.today

    def day(self, number: int, *, release: str = "") -> State:
        """Writes and publishes in dev; with a release moves prod to the same."""
        self.today += timedelta(days=1)
        lakes.write(self.lake, "orders", f"select {number} as day, i as id from range(3000) t(i)")
        part = ["a", "b"][number % 2]
        lakes.write(
            self.lake,
            "lines",
            f"select {number} as day, i as id, '{part}' as _dp_partition from range(2000) t(i)",
            [part],
        )
        with foreign_write.exclusive(self.lake, "dev"):
            foreign_write.begin(self.lake, "dev", "dbt")
            self.lake.connection.execute(
                "create or replace table lake.dev__build.totals as "
                f"select {number} as day, i as n from range(1500) t(i)"
            )
            version = self.lake.current_version()
            found = digests(self.lake.connection, "lake.dev__build.totals", [""])
            foreign_write.adopt(self.lake, lakes.manifests_of("totals", found), version, "dbt")
        state = self.move("dev", Publication(actor="ann", run=f"day {number}"))
        if not release:
            return state
        return self.move("prod", Promotion(actor="ann", release=release, plan="", plan_document="", gates=()))

    def move(self, environment: str, event: Move) -> State:
        """Shows dev's heads in an environment."""
        heads = self.lake.heads("dev")
        state = self.lake.switch(
            environment, cut_of([heads[name] for name in TABLES]), self.lake.state(environment), event
        )
        self.shown[environment, state.sequence] = self.views(environment)
        return state

    def views(self, environment: str) -> dict[str, str]:
        """The digest of all that an environment shows."""
        return {name: str(digests(self.lake.connection, f"lake.{environment}.{name}", [""])[""]) for name in TABLES}


@pytest.fixture
def shop(lake: Lake, tmp_path: Path) -> Iterator[Shop]:
    """A shop with an empty lake."""
    settings = DataOpsYaml(project="shop", owner="team:shop")
    opened = Shop(lake, Project(tmp_path, settings, "prod"))
    lake.clock = opened.now
    yield opened
