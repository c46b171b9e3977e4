"""The audited write: rows that hold their contract become a version of a table, or nothing of the write is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.kit.errors import Refused, preview
from dataops_platform.kit.sql import literal
from dataops_platform.manifests.manifest import Head, StepIdentity, Verdict
from dataops_platform.manifests.profile import profile_details
from dataops_platform.stages.asset import Asset, manifest_of, outcome_of
from dataops_platform.stages.step import Outcome, RunContext
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.profile import profiles
from dataops_platform.warehouse.staging import LakeStaging


class ContractBroken(Refused):
    """A table breaks its contract; nothing of the write was kept."""

    def __init__(
        self, code: str, asset: str, verdicts: Sequence[Verdict], *, where: str = "", **fields: object
    ) -> None:
        super().__init__(code, where=where, **fields)
        self.asset = asset
        self.verdicts = tuple(verdicts)


def make_changed(
    lake: Lake,
    context: RunContext,
    asset: Asset,
    last: Head | None,
    identities: Mapping[str, StepIdentity],
    write: Callable[[Mapping[str, StepIdentity]], None],
) -> Outcome:
    """Make the partitions of an asset whose identity is another than in `last`, the asset's head; or all of them.

    A run that does not skip what is unchanged makes all. `write` receives the partitions to make, each with its
    identity, and is not called when there are none. Return the outcome for all partitions.
    """
    changed = changed_partitions(last, identities) if context.skip_unchanged else identities
    if changed:
        write(changed)
    return outcome_of(lake, asset, list(identities), unchanged=not changed)


def changed_partitions(last: Head | None, identities: Mapping[str, StepIdentity]) -> dict[str, StepIdentity]:
    """Return the partitions that were never made, or were last made with another identity."""
    made = {partition: manifest.step.digest for partition, manifest in last.partitions.items()} if last else {}
    return {p: identity for p, identity in identities.items() if made.get(p) != identity.digest}


def write_audited(
    staging: LakeStaging,
    asset: Asset,
    context: RunContext,
    identities: Mapping[str, StepIdentity],
    batches: Sequence[BatchAudit],
    rows: str,
    refused: str = "",
) -> None:
    """Replace the partitions of a table by judged rows, and record each; all inside the transaction of `staging`.

    `batches` are the audits of the partitions, in their order. `rows` is SQL of the rows that hold the contract,
    `refused` SQL of the others: partition, file, line, rules and raw values. A table under contract is profiled.
    Raises: Refused DP-S012 unless in = audited + refused in each partition; what `LakeStaging.replace` raises.
    """
    partitions = list(identities)
    written = staging.replace(rows, partitions)
    details = {}
    if asset.contract:
        found = profiles(staging.connection, f"({rows})", partitions, asset.contract.visible_columns)
        details = {partition: profile_details(profile) for partition, profile in found.items()}
    for partition, batch in zip(partitions, batches, strict=True):
        _refuse_lost(asset.name, batch, written[partition].rows)
    if refused:
        about = f"{literal(_label(asset))} as contract, {literal(context.run_id)} as run_id"
        staging.quarantine(f"select *, {about} from ({refused})", partitions)
    staging.record(
        [
            manifest_of(asset, context, identities[p], str(written[p]), batch, details.get(p))
            for p, batch in zip(partitions, batches, strict=True)
        ]
    )


def _label(asset: Asset) -> str:
    return f"{asset.contract.id} {asset.contract.version}" if asset.contract else ""


def _refuse_lost(name: str, batch: BatchAudit, written: int) -> None:
    """Refuse a batch unless in = audited + refused. Raises: Refused DP-S012."""
    if written != batch.rows_audited:
        raise Refused(
            "DP-S012",
            batch=f"{name} {batch.partition}".strip(),
            rows=batch.rows_in,
            refused=batch.rows_refused,
            written=written,
        )


def refuse_broken(asset: Asset, batches: Sequence[BatchAudit], max_share: float, place: str) -> None:
    """Refuse a batch of which more than `max_share` (0 to 1) was refused, or whose rows together break a rule.

    Raises: ContractBroken, DP-C012 for the share and DP-C090 for a rule.
    """
    contract = asset.contract
    where = f"contract {contract.path.name} {contract.version}, {place}" if contract else ""
    for batch in batches:
        _refuse_broken(asset.name, batch, max_share, where)


def _refuse_broken(asset: str, batch: BatchAudit, max_share: float, where: str) -> None:
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
            rules=preview(f"{v.rule} {v.failing_rows}" for v in worst),
        )
    if batch.unmet:
        rules = preview(batch.unmet, width=200)
        raise ContractBroken("DP-C090", asset, batch.verdicts, where=where, batch=subject, rules=rules)
