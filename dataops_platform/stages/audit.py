"""What happens when a table breaks its contract."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.kit.errors import Refused, preview
from dataops_platform.manifests.manifest import Verdict


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
            rules=preview(f"{v.rule} {v.failing_rows}" for v in worst),
        )
    if batch.unmet:
        rules = preview(batch.unmet, width=200)
        raise ContractBroken("DP-C090", asset, batch.verdicts, where=where, batch=subject, rules=rules)
