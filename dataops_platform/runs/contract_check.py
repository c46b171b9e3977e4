"""Holds a file against a contract: without a project, a lake or Dagster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import STAGED, BatchAudit, audits, stage_rows
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.sql import identifier
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.technologies.files.read import read_file

SAMPLE_ROWS = 20


@dataclass(frozen=True)
class Checked:
    """What a contract says about a file: the audit, how many lines are no rows, the first rows that were refused."""

    audit: BatchAudit
    unreadable: int
    sample: tuple[Mapping[str, Any], ...]

    @property
    def holds(self) -> bool:
        """Whether no row is refused and no rule over all rows is broken."""
        return not (self.audit.rows_refused or self.audit.unmet or self.unreadable)


def check_file(
    contract: Contract, path: Path, references: Mapping[str, Path] | None = None, null_values: tuple[str, ...] = ("",)
) -> Checked:
    """What `contract` says about a CSV or Parquet file; `references` has the file of each table its rules refer to.

    Raises: what `read_file` and `stage_rows` raise; UsedWrongly DP-C017 when a table referred to is not given.
    """
    import duckdb

    for name in contract.referred:
        if name not in (references or {}):
            raise UsedWrongly(
                "DP-C017",
                f"{contract.path.name} refers to the table {name}",
                fix=f"say which file holds it: --with {name}=FILE",
            )
    rows = read_file(path, path.name)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("_dp_file_rows", rows.table)
        for name, other in (references or {}).items():
            connection.register(f"_dp_other_{name}", read_file(other, other.name).table)
        stage_rows(
            connection,
            "_dp_file_rows",
            contract,
            null_values=null_values,
            references={name: _typed_like(contract, name) for name in contract.referred},
        )
        (audit,) = audits(connection, contract, [WHOLE])
        found = connection.execute(
            f"select r.*, array_to_string(s._dp_rules, ', ') as rules from {STAGED} s "
            f"join _dp_file_rows r using (_dp_line) where s._dp_rules is not null order by _dp_line limit {SAMPLE_ROWS}"
        )
        names = [column[0] for column in found.description or ()]
        sample = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    shown = [{"line": r.pop("_dp_line"), "rules": r.pop("rules")} | r for r in sample]
    return Checked(audit, len(rows.refused), tuple(shown))


def _typed_like(contract: Contract, table: str) -> str:
    """The table referred to, its texts as values of the type that the contract has for them."""
    rules = [rule for rule in contract.rules if rule.kind == "relationship"]
    pairs = {str(r.argument).partition(".")[2]: r for r in rules if str(r.argument).partition(".")[0] == table}
    casts = ", ".join(
        f"try_cast({identifier(name)} as {contract.column(rule.columns[0]).sql_type}) as {identifier(name)}"
        for name, rule in pairs.items()
    )
    return f"(select {casts} from {identifier(f'_dp_other_{table}')})"
