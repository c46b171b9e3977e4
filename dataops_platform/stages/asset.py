"""A table or model that a step makes: where it is built and under which contract, and the record of what was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.manifests.manifest import WHOLE, Kind, Manifest, StepIdentity
from dataops_platform.settings.project import PartitionSettings
from dataops_platform.stages.step import Outcome, RunContext
from dataops_platform.warehouse.lake import Lake


@dataclass(frozen=True)
class Asset:
    """A table or model that a step makes in the build area of an environment.

    The contract is that of its rows; for a model, that of the rows it learns from.
    """

    area: str
    stage: str
    name: str
    contract: Contract | None = None
    partitions: PartitionSettings | None = None
    kind: Kind = "table"


def manifest_of(
    asset: Asset,
    context: RunContext,
    identity: StepIdentity,
    digest: str,
    batch: BatchAudit,
    details: Mapping[str, Any] | None = None,
) -> Manifest:
    """Return the record that a run made one partition of an asset (`batch`), with this content."""
    every = {"every": asset.partitions.every} if asset.partitions else {}
    return Manifest(
        environment=asset.area,
        stage=asset.stage,
        name=asset.name,
        kind=asset.kind,
        partition=batch.partition,
        run_id=context.run_id,
        step=identity,
        digest=digest,
        rows_in=batch.rows_in,
        rows_audited=batch.rows_audited,
        rows_refused=batch.rows_refused,
        recorded_at=context.now(),
        contract_version=asset.contract.version if asset.contract else "",
        verdicts=batch.verdicts,
        details={**every, **(details or {})},
    )


def outcome_of(lake: Lake, asset: Asset, partitions: Sequence[str], *, unchanged: bool = False) -> Outcome:
    """Return the outcome in the head of an asset, for the partitions that its step was asked for."""
    head = lake.heads(asset.area)[asset.name]
    standing = tuple(head.manifests)
    manifests = tuple(head.partitions[p] for p in partitions) if list(partitions) != [WHOLE] else standing
    return Outcome(asset.name, manifests, head.digest, unchanged, standing)
