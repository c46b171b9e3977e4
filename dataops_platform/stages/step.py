"""What a stage does, as a plain record: which assets it makes from which, and how."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Protocol

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.clock import Clock, utc_now
from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import Refused, UsedWrongly, did_you_mean, some
from dataops_platform.kit.user_code import code_digest
from dataops_platform.manifests.manifest import WHOLE, Head, Manifest, StepIdentity, Verdict
from dataops_platform.settings.code import code_digest_of
from dataops_platform.settings.environ import ledger_key
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.technologies.ssh.signature import sign
from dataops_platform.warehouse.ducklake.attach import LakeLocation
from dataops_platform.warehouse.ducklake.lake import Lake, open_lake
from dataops_platform.warehouse.protocol import State

ELSEWHERE = "elsewhere"
"""The stage of a table that another program wrote: an asset that a team already has."""

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


@dataclass(frozen=True)
class Window:
    """Rows whose time column is at or after `start` and before `end`."""

    start: dt.date
    end: dt.date


class ContractBroken(Refused):
    """A table does not hold its contract; nothing of the write was kept."""

    def __init__(
        self, code: str, asset: str, verdicts: Sequence[Verdict], *, where: str = "", **fields: object
    ) -> None:
        super().__init__(code, where=where, **fields)
        self.asset = asset
        self.verdicts = tuple(verdicts)


def refuse_broken(asset: str, max_share: float, batch: BatchAudit, *, where: str = "") -> None:
    """Fails a step that refuses more of a batch than it may, or whose rows together break a rule.

    Raises: ContractBroken.
    """
    subject = f"{asset} {batch.partition}".strip()
    if batch.rows_refused > max_share * batch.rows_in:
        bad = [v for v in batch.verdicts if v.failing_rows and v.severity == "error" and v.measured is None]
        worst = sorted(bad, key=lambda v: -v.failing_rows)
        raise ContractBroken(
            "DP-C012",
            asset,
            batch.verdicts,
            where=where,
            refused=batch.rows_refused,
            rows=batch.rows_in,
            batch=subject,
            most=max_share,
            rules=some(f"{v.rule} {v.failing_rows}" for v in worst),
        )
    if batch.unmet:
        rules = some(batch.unmet, width=200)
        raise ContractBroken("DP-C090", asset, batch.verdicts, where=where, batch=subject, rules=rules)


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


def lake_location(project: Project) -> LakeLocation:
    """Where the project's lake is; paths in `dataops.yaml` start at the project's folder."""
    settings = project.settings.lake
    kind, _, rest = settings.catalog.partition(":")
    catalog = f"sqlite:{(project.home / rest).resolve()}" if kind == "sqlite" else settings.catalog
    data = settings.data if "://" in settings.data else str((project.home / settings.data).resolve())
    return LakeLocation(catalog, data, project.state_dir / "extensions", project.state_dir / "anchors")


def lake_of(project: Project, *, read_only: bool = False) -> Lake:
    """The project's lake; its ledger is signed where `DATAOPS_LEDGER_KEY` names a key."""
    key = None if read_only else ledger_key()
    return open_lake(lake_location(project), read_only=read_only, sign=partial(sign, key) if key else None)


def contract_of(project: Project, name: str, given: str | None = None) -> Contract | None:
    """The contract of a table: the file given, else `contracts/<name>.odcs.yaml` when there is one.

    Raises: UsedWrongly for a file that is missing or no contract, or that is the contract of another table.
    """
    default = project.root / "contracts" / f"{name}.odcs.yaml"
    if given is None and not default.exists():
        return None
    path = project.file(given) if given else default
    contract = with_code_of_checks(_loaded(path, path.stat().st_mtime_ns))
    if contract.table != name:
        raise UsedWrongly("DP-C005", contract=contract.path.name, found=contract.table, table=name)
    return contract


def with_code_of_checks(contract: Contract) -> Contract:
    """The contract with a digest that changes when the code of one of its Python checks does."""
    checks = sorted(str(rule.argument) for rule in contract.rules if rule.kind == "python")
    return replace(contract, digest=digest_of([contract.digest, *map(code_digest, checks)])) if checks else contract


@lru_cache(maxsize=512)
def _loaded(path: Path, _changed_ns: int) -> Contract:
    return load_contract(path)


def required_contract(project: Project, name: str, given: str | None = None) -> Contract:
    """The contract of a table that must have one. Raises: UsedWrongly DP-C006 when it has none."""
    contract = contract_of(project, name, given)
    if contract is None:
        found = [p.name.removesuffix(".odcs.yaml") for p in (project.root / "contracts").glob("*.odcs.yaml")]
        raise UsedWrongly("DP-C006", table=name, hint=did_you_mean(name, found))
    return contract


def refuse_other_code(project: Project, state: State) -> None:
    """Refuses to work in a guarded environment with other code than that of the release it shows.

    Raises: Refused DP-R007; DP-R008 when it shows none.
    """
    if not project.is_guarded:
        return
    environment = project.environment
    if not state.release:
        raise Refused("DP-R008", environment=environment)
    if code_digest_of(project.root) != state.code:
        raise Refused("DP-R007", environment=environment, release=short(state.release), project=project.root.name)


def heads_with(lake: Lake, project: Project, names: Sequence[str], context: RunContext) -> dict[str, Head]:
    """All heads, after each table of `names` that another program writes has become one as it is now.

    Such a table has no manifest of its own: its rows are read once to know their digest, and the version that they
    were read at is the head, whatever the other program does next.
    """
    heads = lake.heads(project.environment)
    for name in names:
        if name not in heads or heads[name].manifests[0].stage == ELSEWHERE:
            _take_in(lake, project, name, heads.get(name), context)
    return lake.heads(project.environment)


def _take_in(lake: Lake, project: Project, name: str, known: Head | None, context: RunContext) -> None:
    last = lake.last_manifest(project.environment, name)
    if last is not None and last.stage != ELSEWHERE:
        return  # ours, made before the environment was pointed elsewhere
    with lake.transaction():
        version, digest = lake.current_version(), lake.foreign_digest(project.environment, name)
    if digest is None or (known is not None and known.digest == str(digest)):
        return
    manifest = Manifest(
        environment=project.environment,
        stage=ELSEWHERE,
        name=name,
        kind="table",
        partition=WHOLE,
        run_id=context.run_id,
        step=StepIdentity("", "", "", ()),
        digest=str(digest),
        rows_in=digest.rows,
        rows_audited=digest.rows,
        rows_refused=0,
        recorded_at=context.now(),
    )
    lake.record([manifest], version)


def head_of(heads: Mapping[str, Head], name: str, needed_by: str, project: Project) -> Head:
    """The head called `name`. Raises: Refused DP-W007 when nothing audited is there yet."""
    if name not in heads:
        raise Refused("DP-W007", step=needed_by, table=name, environment=project.environment)
    return heads[name]


def unchanged_partitions(head: Head | None, digests: Mapping[str, str]) -> list[str]:
    """The partitions whose last audited manifest has just this step digest."""
    if head is None:
        return []
    return [p for p, digest in digests.items() if p in head.partitions and head.partitions[p].step.digest == digest]


def with_dropped_partitions(step: Step, head: Head | None, partitions: Sequence[str]) -> list[str]:
    """The partitions to make, and with all of them those that the project no longer has, which become empty.

    Raises: Refused DP-W015 when only some are asked for while the others were cut another way (months, now days).
    """
    if head is None or step.partitions is None or WHOLE in head.partitions:
        return list(partitions)
    keys, every = step.partitions.keys(), step.partitions.every
    others = [p for p in head.partitions if p not in partitions]
    if set(partitions) == set(keys):
        return [*partitions, *others]
    if any(head.partitions[p].details.get("every", every) != every for p in others):
        raise Refused("DP-W015", table=head.name, every=every, partitions=some(others))
    return list(partitions)


def head_outcome(
    lake: Lake, project: Project, name: str, partitions: Sequence[str], *, area: str = "", **more: Any
) -> Outcome:
    """The outcome that is read back from the head of `name`, for the partitions a step was asked for.

    `area` is the build area that it was written to; the environment's own when it is not given.
    """
    head = lake.heads(area or project.environment)[name]
    manifests = tuple(head.partitions[p] for p in partitions) if list(partitions) != [WHOLE] else head.manifests
    return Outcome(name, manifests, head.digest, standing=head.manifests, **more)
