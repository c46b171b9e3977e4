"""What a stage does, as a plain record: which assets it makes from which, and how."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.clock import Clock, utc_now
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.manifests.manifest import WHOLE, Manifest, Verdict
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of

COLUMNS_READ = "dataops/columns_read"


EXPOSURES = "dataops/exposures"
"""Metadata of an asset: the columns it reads of which table, and who outside reads it (see `Makes`)."""


STAGES = ("extract", "clean", "transform", "train", "score", "publish")
"""The stages in the order data goes through them."""


@dataclass(frozen=True)
class Makes:
    """An asset a step makes. Its key is `<environment>/<name>`, in SQL `<environment>.<name>`."""

    name: str
    description: str = ""
    contract: Contract | None = None
    kinds: tuple[str, ...] = ()
    reads: tuple[str, ...] | None = None
    tests: tuple[str, ...] = ()
    columns_read: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The columns read of a table, where not all of them may be: words of SQL, or the inputs of a model."""
    exposures: tuple[Mapping[str, Any], ...] = ()
    """Who outside reads it or its siblings: name, kind, owner and reads of dashboards, notebooks, applications."""


@dataclass(frozen=True)
class RunContext:
    """The run a step belongs to.

    `skip_unchanged`: do nothing where the last audited manifest has the same digest. `made_here` says whether this
    run has made (or found unchanged) an asset.
    """

    run_id: str
    skip_unchanged: bool = False
    made_here: Callable[[str], bool] = lambda _: False
    say: Callable[[str], None] = lambda _: None
    candidates: Mapping[str, str] = field(default_factory=dict)
    """Digests of models that are scored instead of those shown, in a lane of their own (`candidate_area`)."""
    clock: Clock = utc_now

    def place(self, environment: str) -> str:
        """Where this run is, for messages."""
        return f"{environment}, run {self.run_id[:8]}"

    def now(self) -> str:
        """The time of recording, ISO format, UTC."""
        moment: dt.datetime = self.clock()
        return moment.isoformat()


@dataclass(frozen=True)
class Outcome:
    """What a step did to one asset: the manifests that are its head now, and what to show people."""

    name: str
    manifests: tuple[Manifest, ...]
    digest: str
    unchanged: bool = False
    standing: tuple[Manifest, ...] = ()
    """The manifests of all partitions that the asset has now, also of those the step was not asked for."""
    refused_sample: tuple[Mapping[str, Any], ...] = ()
    shown: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def rows_in(self) -> int:
        return sum(m.rows_in for m in self.manifests)

    @property
    def rows_audited(self) -> int:
        return sum(m.rows_audited for m in self.manifests)

    @property
    def rows_refused(self) -> int:
        return sum(m.rows_refused for m in self.manifests)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Each rule's failing rows, over all partitions; the number it measured where that is one number."""
        by_rule: dict[str, list[Verdict]] = {}
        for verdict in (v for m in self.manifests for v in m.verdicts):
            by_rule.setdefault(verdict.rule, []).append(verdict)
        return tuple(_together(verdicts) for verdicts in by_rule.values())

    @property
    def standing_verdicts(self) -> dict[str, tuple[Verdict, ...]]:
        """The verdicts on all rows that the asset has now, by partition."""
        return {m.partition: m.verdicts for m in self.standing or self.manifests}


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    first, *others = verdicts
    return replace(
        first,
        failing_rows=sum(v.failing_rows for v in verdicts),
        measured=None if others else first.measured,
    )


def made_by(code: str, config: Mapping[str, Any], contract: Contract | None) -> str:
    """Digest of all that decides what a step makes, but its inputs; also the code version that Dagster shows."""
    return digest_of([code, digest_of(config), contract.digest if contract else ""])


class Step(Protocol):
    """One step of a stage. Records that hold these can be put into a Dagster asset by `stages.component`."""

    @property
    def stage(self) -> str:
        """Its stage, one of `STAGES`."""

    @property
    def project(self) -> Project:
        """The project it belongs to, with its environment."""

    @property
    def partitions(self) -> PartitionSettings | None:
        """The spans of time it can be run for one by one, if any."""

    @property
    def makes(self) -> tuple[Makes, ...]:
        """The assets it makes, in order."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the assets it reads."""

    @property
    def config(self) -> Mapping[str, Any]:
        """Its settings as the user wrote them, JSON-like."""

    @property
    def code(self) -> str:
        """Digest of the code that decides its result."""

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Does it for these partitions (`[""]`: the whole), all or nothing."""


@contextmanager
def lake_if_made(project: Project) -> Iterator[Lake | None]:
    """The project's lake to read, or None where nothing has run yet."""
    try:
        lake = lake_of(project, read_only=True)
    except UsedWrongly as error:
        if error.code != "DP-W001":
            raise
        yield None
        return
    with lake:
        yield lake


def head_outcome(
    lake: Lake, project: Project, name: str, partitions: Sequence[str], *, area: str = "", **more: Any
) -> Outcome:
    """The outcome that is read back from the head of `name`, for the partitions a step was asked for.

    `area` is the build area that it was written to; the environment's own when it is not given.
    """
    head = lake.heads(area or project.environment)[name]
    standing = tuple(head.manifests)
    manifests = tuple(head.partitions[p] for p in partitions) if list(partitions) != [WHOLE] else standing
    return Outcome(name, manifests, head.digest, standing=standing, **more)
