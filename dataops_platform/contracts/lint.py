"""What a contract enforces and what it does not, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataops_platform.contracts.odcs import load_contract
from dataops_platform.contracts.trial import refuse_unevaluable


def lint_contract(path: Path) -> dict[str, Any]:
    """A contract in numbers. Raises: what `load_contract` raises; UsedWrongly DP-C007 for SQL that cannot be run."""
    contract = load_contract(path)
    refuse_unevaluable(contract)
    return {
        "file": path.name,
        "table": contract.table,
        "version": contract.version,
        "columns": len(contract.columns),
        "rules": len(contract.rules),
        "key": ", ".join(contract.primary_key),
        "unenforced": list(contract.unenforced),
    }
