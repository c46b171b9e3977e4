"""The arguments of a test: a contract and rows, in any of their forms."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.contract_tools.check import SAMPLE_ROWS, CheckResult, check_rows
from dataops_platform.contracts.contract import Contract, Rule
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.user_code import arrow_from
from dataops_platform.technologies.files.read import RefusedLine, read_file

if TYPE_CHECKING:
    import pyarrow as pa

ContractInput = str | Path | Contract
"""The path of an ODCS file, its text, or a parsed contract."""

Rows = Any
"""Dicts, a polars, pandas or Arrow table, or the path of a CSV or Parquet file."""


@dataclass(frozen=True)
class InputTable:
    """Rows as an Arrow table, and the unreadable lines of a file."""

    arrow: pa.Table
    is_file: bool = False
    unreadable: tuple[RefusedLine, ...] = ()


def contract_of(contract: ContractInput) -> Contract:
    """Return the contract; messages call a text `contract.odcs.yaml`.

    Raises: what `load_contract` raises.
    """
    if isinstance(contract, Contract):
        return contract
    if isinstance(contract, Path) or not ("\n" in contract or contract.lstrip().startswith("{")):
        return load_contract(Path(contract))
    with tempfile.TemporaryDirectory() as folder:  # the parser reads files, so that messages can name lines
        path = Path(folder) / "contract.odcs.yaml"
        path.write_text(contract, encoding="utf-8")
        return load_contract(path)


def table_of(rows: Rows, contract: Contract | None = None) -> InputTable:
    """Return the rows as a table; without rows it has the columns of the contract.

    Raises: what `read_file` raises; UsedWrongly DP-C088 for an object that holds no rows.
    """
    import pyarrow as pa

    if isinstance(rows, str | Path):
        read = read_file(Path(rows), Path(rows).name)
        return InputTable(read.table, True, read.refused)
    if isinstance(rows, pa.Table):
        return InputTable(rows)
    if isinstance(rows, Sequence) and all(isinstance(row, Mapping) and all(map(_is_text, row)) for row in rows):
        names = dict.fromkeys(name for row in rows for name in row)
        if not rows and contract is not None:
            names = dict.fromkeys(column.name for column in contract.columns)
        return InputTable(pa.table({name: _array([row.get(name) for row in rows]) for name in names}))
    if type(rows).__module__.partition(".")[0] in ("polars", "pandas"):
        return InputTable(arrow_from(rows, "the test"))
    raise UsedWrongly("DP-C088", type=type(rows).__name__)


def check_table(
    contract: Contract,
    table: InputTable,
    references: Mapping[str, Rows] | None,
    null_values: Sequence[str] | None = None,
    sample: int = SAMPLE_ROWS,
) -> CheckResult:
    """Check a table against a contract. Without `null_values` an empty text is null in a file, and nowhere else."""
    nulls = tuple(null_values) if null_values is not None else ("",) * table.is_file
    others = {name: _referred(contract, name, rows) for name, rows in (references or {}).items()}
    return check_rows(contract, table.arrow, others, nulls, sample)


def _referred(contract: Contract, table: str, rows: Rows) -> pa.Table:
    """Return a referenced table; without rows it has the columns that rules refer to."""
    import pyarrow as pa

    if isinstance(rows, Sequence) and not rows:
        targets = [str(rule.argument) for rule in contract.rules if rule.kind == "relationship"]
        names = dict.fromkeys(to.partition(".")[2] for to in targets if to.startswith(f"{table}."))
        return pa.table({name: pa.array([], pa.string()) for name in names})
    return table_of(rows).arrow


def broken_rules(checked: CheckResult) -> dict[str, int]:
    """Return the number of rows that break each broken rule, warnings too; 1 for a rule over all rows together."""
    return {verdict.rule: verdict.failing_rows for verdict in checked.audit.verdicts if verdict.failing_rows}


def rule_of(contract: Contract, name: str) -> Rule:
    """Return the rule called `name`. Raises: UsedWrongly DP-C035 for an unknown name."""
    for rule in contract.rules:
        if rule.name == name:
            return rule
    hint = did_you_mean(name, [rule.name for rule in contract.rules])
    raise UsedWrongly("DP-C035", contract=contract.path.name, rule=name, hint=hint)


def _is_text(name: object) -> bool:
    return isinstance(name, str)


def _array(values: list[Any]) -> pa.Array:
    """Return values of one type as they are, and values of several types as the texts that a CSV file would have."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds and (len(kinds) == 1 or kinds == {int, float}):
        try:
            return pa.array(values)
        except (pa.ArrowException, OverflowError, TypeError):
            pass
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
