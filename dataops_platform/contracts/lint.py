"""What a contract enforces and what it does not, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataops_platform.contracts.odcs import load_contract
from dataops_platform.contracts.trial import unevaluable
from dataops_platform.kit.errors import UsedWrongly


def lint_contract(path: Path) -> dict[str, Any]:
    """A contract in numbers. Raises: what `load_contract` raises; UsedWrongly DP-C007 for SQL that cannot be run."""
    contract = load_contract(path)
    for rule in contract.rules:
        reason = unevaluable(rule, contract.columns)
        if reason:
            raise UsedWrongly("DP-C007", f"{rule.place} rule {rule.name!r} cannot be evaluated: {reason}")
    return {
        "file": path.name,
        "table": contract.table,
        "version": contract.version,
        "columns": len(contract.columns),
        "rules": len(contract.rules),
        "key": ", ".join(contract.primary_key),
        "unenforced": list(contract.unenforced),
    }
