"""A small world for tests of releases: a project in git, a lake, and tables written by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.events import Publication
from dataops_platform.manifests.manifest import Head, Manifest
from dataops_platform.release.build import freeze
from dataops_platform.release.promotion.plan import Answer, Plan
from dataops_platform.release.promotion.promote import promote, propose
from dataops_platform.release.release import Release
from dataops_platform.settings.environ import process_actor
from dataops_platform.settings.project import Project, load_project
from dataops_platform.stages.contract_files import contract_of
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State
from tests.fixtures import lakes
from tests.fixtures.lakes import open_in

NOW = datetime(2013, 3, 1, 12, tzinfo=UTC)

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: {version}
team: {{name: shop}}
schema:
  - name: orders
    properties:
      - {{name: id, logicalType: integer, primaryKey: true}}
      - {{name: amount, logicalType: number, required: true}}
      - {{name: email, logicalType: string, classification: restricted}}
"""

ORDERS = "select * from (values (1, 10.0, 'a@x'), (2, 20.0, null)) as t(id, amount, email)"


@dataclass
class World:
    """A project whose `prod` takes releases from `dev`. Tables are written to dev; every release has a commit."""

    folder: Path
    lake: Lake
    now: datetime = NOW
    more: str = ""
    """More lines of `dataops.yaml`."""
    first: Release | None = None
    """What prod shows from the start, if it shows something."""

    def git(self, *arguments: str) -> str:
        """What git says in the project."""
        done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout

    def commit(self, message: str = "work") -> str:
        """Commits all there is; gives the commit."""
        self.git("add", "--all")
        self.git("-c", "user.name=ann", "-c", "user.email=ann@example.org", "commit", "-qm", message, "--allow-empty")
        return self.git("rev-parse", "HEAD").strip()

    def gates(self, *gates: str, roles: str = "{}") -> None:
        """Says in `dataops.yaml` which gates prod has."""
        (self.folder / "dataops.yaml").write_text(
            f"project: shop\nowner: team:sales\nroles: {roles}\n{self.more}environments:\n  dev: {{}}\n"
            f"  prod: {{from: dev, gates: [{', '.join(gates)}]}}\n"
        )

    def file(self, name: str, text: str) -> Path:
        """Writes a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def contract(self, text: str = CONTRACT, version: str = "1.0.0", table: str = "orders") -> None:
        """Writes a contract."""
        self.file(f"contracts/{table}.odcs.yaml", text.format(version=version))

    def project(self, environment: str = "prod") -> Project:
        """The project in an environment."""
        return load_project(self.folder, environment)

    def session(self, environment: str = "prod") -> Session:
        """A session of whoever acts now."""
        return Session(self.project(environment), self.lake, process_actor(), self.clock)

    def write(self, select: str = ORDERS, table: str = "orders", **about: Any) -> Head:
        """Writes a table to dev, audited under its contract of now; `about` replaces fields of the manifest."""
        contract = contract_of(self.project("dev"), table)
        partitions = about.pop("partitions", [""])
        with self.lake.stage("dev", table) as staging:
            found = staging.replace(select, partitions)
            made = lakes.manifests_of(table, found, contract=contract.digest if contract else "")
            staging.record([replace(one, **about) for one in made])
        return self.lake.heads("dev")[table]

    def record(self, manifest: Manifest, version: str) -> None:
        """Makes something kept elsewhere (a model) a head of dev."""
        self.lake.record([manifest], version)

    def release(self, *names: str, message: str = "work") -> Release:
        """Commits, shows the heads in dev, and freezes that."""
        self.commit(message)
        heads = self.lake.heads("dev")
        cut = cut_of([heads[name] for name in names or heads])
        state = self.lake.state("dev")
        if cut.id != state.publication:
            self.lake.switch("dev", cut, state, Publication(actor="ann"))
        return freeze(self.session("dev"), cut)

    def clock(self) -> datetime:
        """The time it is here."""
        return self.now

    def plan(self, release: Release) -> Plan:
        """A plan of showing a release in prod."""
        return propose(self.session(), release)

    def promote(self, plan: Plan) -> State:
        """Carries a plan out."""
        return promote(self.session(), plan)

    def shown(self, select: str = ORDERS, **about: Any) -> Release:
        """A release of one table, shown in prod."""
        self.write(select, **about)
        release = self.release()
        self.promote(self.plan(release))
        return release

    def answer(self, release: Release, gate: str) -> Answer:
        """What a gate says to a release."""
        return next(answer for answer in self.plan(release).answers if answer.gate == gate)


@contextmanager
def world_in(folder: Path, engine: DuckDBPyConnection, extensions: Path) -> Iterator[World]:
    """The world of a folder, open; made where there is none, with one contract and no gates."""
    state = folder / ".dataops"
    is_new = not state.exists()
    if is_new:
        state.mkdir(parents=True)
        (state / "extensions").symlink_to(extensions, target_is_directory=True)
    location = LakeLocation(f"sqlite:{state / 'lake.sqlite'}", str(state / "data"), state / "extensions")
    with open_in(engine, location) as lake, pytest.MonkeyPatch.context() as patched:
        patched.setenv("DATAOPS_ACTOR", "ann")
        for name in ("DATAOPS_ENV", "DATAOPS_FAULTS"):
            patched.delenv(name, raising=False)
        made = World(folder, lake)
        lake.clock = made.clock
        if is_new:
            made.gates()
            made.contract()
            made.file("pyproject.toml", "[project]\nname = 'shop'\n")
            made.file("uv.lock", "")
            made.file(".gitignore", ".dataops/\n")
            made.git("init", "-q", "-b", "main")
        yield made


@pytest.fixture(scope="session")
def new_world(tmp_path_factory: pytest.TempPathFactory, engine: DuckDBPyConnection, extensions: Path) -> Path:
    """The folder of a world in which nothing happened yet; copied, never written to."""
    folder = tmp_path_factory.mktemp("new_world") / "shop"
    with world_in(folder, engine, extensions):
        return folder


@pytest.fixture(scope="session")
def shown_world(
    new_world: Path, tmp_path_factory: pytest.TempPathFactory, engine: DuckDBPyConnection, extensions: Path
) -> tuple[Path, Release]:
    """The folder of a world in which prod shows a release, and this; copied, never written to."""
    folder = shutil.copytree(new_world, tmp_path_factory.mktemp("shown_world") / "shop", symlinks=True)
    with world_in(folder, engine, extensions) as world:
        return folder, world.shown()


@pytest.fixture
def world(tmp_path: Path, new_world: Path, engine: DuckDBPyConnection, extensions: Path) -> Iterator[World]:
    """A project with one contract and no gates; built and asked for by `ann`."""
    folder = shutil.copytree(new_world, tmp_path / "shop", symlinks=True)
    with world_in(folder, engine, extensions) as made:
        yield made


@pytest.fixture
def shown(
    tmp_path: Path, shown_world: tuple[Path, Release], engine: DuckDBPyConnection, extensions: Path
) -> Iterator[World]:
    """The same, where prod shows a release."""
    folder = shutil.copytree(shown_world[0], tmp_path / "shop", symlinks=True)
    with world_in(folder, engine, extensions) as made:
        made.first = shown_world[1]
        made.git("worktree", "repair", f".dataops/code/{made.first.commit}")  # its paths were those of the original
        yield made


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets another person work from here on."""
    return lambda name: monkeypatch.setenv("DATAOPS_ACTOR", name)


@pytest.fixture
def own_package() -> Iterator[None]:
    """Forgets the package `shop` that a test has loaded: the next one has another under the same name."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in [n for n in sys.modules if n.partition(".")[0] == "shop"]:
        del sys.modules[name]
