"""Steps as plain records: which assets a stage makes, from which inputs, and how."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.actor import Actor
from dataops_platform.kit.clock import Clock
from dataops_platform.kit.digests import digest_of
from dataops_platform.manifests.manifest import InputRef, Manifest, StepIdentity, Verdict
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.warehouse.lake import Lake

SKIP_TAG = "dataops/skip_unchanged"
CANDIDATES_TAG = "dataops/candidates"
"""Tags of a Dagster run: whether unchanged steps are skipped, and the candidates to score with (JSON)."""

COLUMNS_READ = "dataops/columns_read"


EXPOSURES = "dataops/exposures"
"""Keys of an asset's metadata: the columns that it reads of each table, and its readers outside (see `Makes`)."""


STAGES = ("extract", "clean", "transform", "train", "score", "publish")
"""The stages in the order in which data goes through them."""


@dataclass(frozen=True)
class Makes:
    """An asset that a step makes. Its key is `<environment>/<name>`, in SQL `<environment>.<name>`.

    `reads` are the assets that it reads, None for all that the step reads. `tests` are the ids of its dbt tests.
    """

    name: str
    description: str = ""
    contract: Contract | None = None
    kinds: tuple[str, ...] = ()
    reads: tuple[str, ...] | None = None
    tests: tuple[str, ...] = ()
    columns_read: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The columns that may be read of each table: words of SQL, or the inputs of a model. All columns of a table that
    is left out."""
    exposures: tuple[Mapping[str, Any], ...] = ()
    """Readers outside of this asset or its siblings (dashboards, notebooks, applications): name, kind, owner and
    reads."""


@dataclass(frozen=True)
class RunContext:
    """The run of a step, and who asked for it.

    With `skip_unchanged`, a step does nothing where the last audited manifest has the same digest. `made_here` returns
    whether this run has made an asset, or found it unchanged. `say` writes a line to the run's log.
    """

    run_id: str
    actor: Actor
    clock: Clock
    skip_unchanged: bool = False
    made_here: Callable[[str], bool] = lambda _: False
    say: Callable[[str], None] = lambda _: None
    candidates: Mapping[str, str] = field(default_factory=dict)
    """Digests of models that are scored with instead of those shown, by name; results go to a build area of their own
    (`candidate_area`)."""

    def place(self, environment: str) -> str:
        """Return where this run is, for messages."""
        return f"{environment}, run {self.run_id[:8]}"

    def now(self) -> str:
        """Return the time of recording: ISO format, UTC."""
        moment: dt.datetime = self.clock()
        return moment.isoformat()


@dataclass(frozen=True)
class Outcome:
    """What a step did to one asset: the manifests of the partitions it was asked for, and what people see."""

    name: str
    manifests: tuple[Manifest, ...]
    digest: str
    unchanged: bool = False
    standing: tuple[Manifest, ...] = ()
    """The manifests of all partitions that the asset has now, also of those that the step was not asked for."""
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
        """The failing rows of each rule over all partitions; with one partition also the number that it measured."""
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
    """Return the digest of all but the inputs that decides what a step makes. Dagster shows it as the code version."""
    return digest_of([code, digest_of(config), contract.digest if contract else ""])


class Step(Protocol):
    """One step of a stage. `stages.component` makes a Dagster asset of it."""

    @property
    def stage(self) -> str:
        """The stage, one of `STAGES`."""

    @property
    def project(self) -> Project:
        """The project, with its environment."""

    @property
    def partitions(self) -> PartitionSettings | None:
        """The spans of time for which it can be run one by one, if any."""

    @property
    def makes(self) -> tuple[Makes, ...]:
        """The assets that it makes, in order."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the assets that it reads."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings as the user wrote them, JSON-like."""

    @property
    def code(self) -> str:
        """The digest of the code that decides its result."""

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Make these partitions (`[""]`: the whole), all or none."""


def identities_of(
    step: Step, contract: Contract | None, inputs: Mapping[str, Iterable[InputRef]]
) -> dict[str, StepIdentity]:
    """Return what decides the content of each partition that a step makes, from the inputs of each."""
    code, config = step.code, digest_of(step.config)  # both read files, and are the same for all partitions
    held = contract.digest if contract else ""
    return {partition: StepIdentity(code, config, held, tuple(refs)) for partition, refs in inputs.items()}
