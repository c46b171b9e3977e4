"""A summary of what contracts enforce and what they do not, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.contracts.sql_check import refuse_unevaluable
from dataops_platform.kit.errors import UsedWrongly, did_you_mean


def lint_contracts(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return one line of counts for each contract.

    Raises: what `load_contract` raises; UsedWrongly DP-C007 for SQL that cannot be evaluated, DP-C017 for a
    relationship with a column that another of these contracts does not have.
    """
    contracts = [load_contract(path) for path in paths]
    tables = {contract.table: contract for contract in contracts}
    for contract in contracts:
        refuse_unevaluable(contract)
        _refuse_unknown_columns(contract, tables)
    return [_summary(contract) for contract in contracts]


def _refuse_unknown_columns(contract: Contract, tables: Mapping[str, Contract]) -> None:
    for rule in (rule for rule in contract.rules if rule.kind == "relationship"):
        table, _, name = str(rule.argument).partition(".")
        known = [column.name for column in tables[table].columns] if table in tables else [name]
        if name not in known:
            hint = did_you_mean(name, known)
            raise UsedWrongly("DP-C017", place=rule.place, to=rule.argument, table=table, hint=hint)


def _summary(contract: Contract) -> dict[str, Any]:
    return {
        "file": contract.path.name,
        "table": contract.table,
        "version": contract.version,
        "columns": len(contract.columns),
        "rules": len(contract.rules),
        "key": ", ".join(contract.primary_key),
        "unenforced": list(contract.unenforced),
    }
