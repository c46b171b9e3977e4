"""What happens when a table breaks its contract."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.kit.errors import Refused, some
from dataops_platform.manifests.manifest import Verdict


class ContractBroken(Refused):
    """A table does not hold its contract; nothing of the write was kept."""

    def __init__(self, what: str, *, asset: str, verdicts: Sequence[Verdict], where: str, fix: str) -> None:
        self.asset = asset
        self.verdicts = tuple(verdicts)
        super().__init__("DP-C012", what, where=where, fix=fix)


def refuse_broken(asset: str, max_share: float, batch: BatchAudit, *, where: str = "") -> None:
    """Fails a step that refuses more of a batch than it may, or whose rows together break a rule.

    Raises: ContractBroken.
    """
    subject = f"{asset} {batch.partition}".strip()
    if batch.rows_refused > max_share * batch.rows_in:
        bad = [v for v in batch.verdicts if v.failing_rows and v.severity == "error" and v.measured is None]
        worst = sorted(bad, key=lambda v: -v.failing_rows)
        raise ContractBroken(
            f"{batch.rows_refused} of {batch.rows_in} rows for {subject} are refused, more than the allowed "
            f"share {max_share:g} ({some(f'{v.rule} {v.failing_rows}' for v in worst)})",
            asset=asset,
            verdicts=batch.verdicts,
            where=where,
            fix="fix the source, loosen the rule, or raise max_refused_share; nothing was written",
        )
    if batch.unmet:
        raise ContractBroken(
            f"the rows of {subject} together break {some(batch.unmet, width=200)}",
            asset=asset,
            verdicts=batch.verdicts,
            where=where,
            fix="fix the source, or loosen the rule; nothing was written",
        )
