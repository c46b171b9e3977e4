"""A small shop: a project with dev and prod, two tables made from one another, and what can be done to it.

Loaded by conftest.py, and by processes that tests start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.manifest import WHOLE, Head, InputRef, Manifest, StepIdentity
from dataops_platform.release.build import freeze
from dataops_platform.release.promotion.plan import PLAN, Plan
from dataops_platform.release.promotion.switch import switch_to_release
from dataops_platform.release.release import Release
from dataops_platform.settings.environments import EnvironmentSettings
from dataops_platform.settings.project import DataOpsYaml, Project
from dataops_platform.stages.publish.run import publish
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State

TABLES = ("orders", "sales")
MADE = "2013-01-01T00:00:00+00:00"
ENVIRONMENTS = {"dev": EnvironmentSettings(), "prod": EnvironmentSettings.model_validate({"from": "dev"})}


@dataclass(frozen=True)
class Shop:
    """Works on a lake. `root` is the folder of its code: one file, whose text is told."""

    lake: Lake
    root: Path
    environments: ClassVar[dict[str, EnvironmentSettings]] = dict(ENVIRONMENTS)
    tables: tuple[str, ...] = TABLES
    """`orders`, and `sales` which is made from it."""
    model: str = ""
    """The name of a model whose version is the number of the release; none is released when it is empty."""

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.tables, *filter(None, [self.model]))

    def at(self, environment: str) -> Project:
        return Project(
            self.root, DataOpsYaml(project="shop", owner="team:shop", environments=self.environments), environment
        )

    def write_code(self, text: str) -> None:
        (self.root / "src").mkdir(parents=True, exist_ok=True)
        (self.root / "uv.lock").touch()
        (self.root / "src" / "code.py").write_text(text)

    def build(self, environment: str, number: int, partitions: Sequence[str] = ()) -> None:
        """Makes `orders` (whole, or these partitions) and from it `sales`; the number is in each row."""
        orders = self.write(environment, "orders", number, partitions)
        if "sales" in self.tables:
            self.write(environment, "sales", number * 10, inputs=[orders.ref()])

    def write(
        self,
        environment: str,
        name: str,
        number: int,
        partitions: Sequence[str] = (),
        inputs: Sequence[InputRef] = (),
    ) -> Head:
        rows = [f"select {number} as number, '{part}' as _dp_partition" for part in partitions]
        select = " union all ".join(rows) or f"select {number} as number"
        with self.lake.stage(environment, name) as staging:
            found = staging.replace(select, list(partitions) or [WHOLE])
            staging.record(
                [
                    manifest(environment, name, part, str(summary.digest), inputs, summary.digest.rows)
                    for part, summary in found.items()
                ]
            )
        return self.lake.heads(environment)[name]

    def publish(self, environment: str, run: str = "run") -> tuple[State, bool]:
        return publish(self.lake, self.at(environment), self.names, {}, RunContext(run))

    def release(self, number: int) -> Release:
        """Builds this data and code of this number in dev, and makes a release of it."""
        self.write_code(f"number = {number}")
        self.build("dev", number)
        if self.model:
            trained = manifest("dev", self.model, WHOLE, f"sha256:{number}")
            self.lake.record([replace(trained, kind="model")], str(number))
        self.publish("dev")
        heads = self.lake.heads("dev")
        return freeze(self.at("dev"), self.lake, cut_of([heads[name] for name in self.names]))

    def plan(self, release: Release, environment: str = "prod") -> Plan:
        """A kept plan that asks no gate and tells no difference: what is looked at here is the move."""
        state = self.lake.state(environment)
        made = Plan(environment, release.id, state.pointer, [], state.release, (), {}, "ann", MADE)
        self.lake.keep(PLAN, made.id, made.to_plain())
        return made

    def promote(self, release: Release, environment: str = "prod") -> State:
        """Promotes by a plan without gates: the folder is in no git, and no release of it could pass one."""
        return switch_to_release(self.lake, self.plan(release, environment), release)

    def rows(self, environment: str, name: str) -> list[tuple[int, ...]]:
        """What consumers see of a table."""
        return sorted(self.lake.connection.execute(f"from lake.{environment}.{name}").fetchall(), key=str)

    def built(self, environment: str, name: str) -> list[tuple[int, ...]]:
        """The rows of a head, as steps read them; and that they are what its manifests say."""
        head = self.lake.heads(environment)[name]
        found = self.lake.connection.execute(f"from {self.lake.relation(environment, head)}").fetchall()
        assert len(found) == sum(m.rows_audited for m in head.manifests), "a head is what its manifests say"
        return sorted(found, key=str)


def manifest(
    environment: str, name: str, part: str, digest: str, inputs: Sequence[InputRef] = (), rows: int = 1
) -> Manifest:
    step = StepIdentity("code", "config", "", tuple(inputs))
    return Manifest(environment, "clean", name, "table", part, "run", step, digest, rows, rows, 0, MADE)
