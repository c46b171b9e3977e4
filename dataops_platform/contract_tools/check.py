"""Holds a file or a table against a contract: without a project, a lake or Dagster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.compiled import Plan, compile_plan
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import BatchAudit, judge
from dataops_platform.contracts.typed_rows import with_lines
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.sql import identifier
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.technologies.files.read import read_file

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE_ROWS = 20


@dataclass(frozen=True)
class Checked:
    """What a contract says about rows: the audit, how many lines are no rows, the first rows that were refused.

    `broken` has the rules that those rows break, by line.
    """

    audit: BatchAudit
    unreadable: int
    sample: tuple[Mapping[str, Any], ...]
    broken: Mapping[int, tuple[str, ...]]

    @property
    def holds(self) -> bool:
        """Whether no row is refused and no rule over all rows is broken."""
        return not (self.audit.rows_refused or self.audit.unmet or self.unreadable)


def check_file(
    contract: Contract | Plan,
    path: Path,
    references: Mapping[str, Path] | None = None,
    null_values: tuple[str, ...] = ("",),
) -> Checked:
    """What `contract` says about a CSV or Parquet file; `references` has the file of each table its rules refer to.

    Raises: what `read_file` and `check_rows` raise.
    """
    plan = contract if isinstance(contract, Plan) else compile_plan(contract)
    for name in plan.contract.referred:
        _refuse_missing(plan.contract, name, references or {}, f"--with {name}=FILE")
    rows = read_file(path, path.name)
    others = {name: read_file(other, other.name).table for name, other in (references or {}).items()}
    return replace(check_rows(plan, rows.table, others, null_values), unreadable=len(rows.refused))


def check_rows(
    contract: Contract | Plan,
    table: pa.Table,
    references: Mapping[str, pa.Table] | None = None,
    null_values: tuple[str, ...] = (),
    sample: int = SAMPLE_ROWS,
) -> Checked:
    """What `contract`, or the plan of one, says about an Arrow table; `references` has each table its rules refer to.

    The sample names rows by the column `_dp_line`, which counts from 1 when the table has none. Raises: what
    `judge` raises; UsedWrongly DP-C056 when a table referred to is not given.
    """
    import duckdb

    plan = contract if isinstance(contract, Plan) else compile_plan(contract)
    contract = plan.contract
    for name in contract.referred:
        _refuse_missing(contract, name, references or {}, f"references={{{name!r}: rows}}")
    table = with_lines(table)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("_dp_file_rows", table)
        for name in contract.referred:
            connection.register(f"_dp_other_{name}", (references or {})[name])
        judged = judge(
            connection,
            "_dp_file_rows",
            plan,
            null_values=null_values,
            references={name: identifier(f"_dp_other_{name}") for name in contract.referred},
            samples=sample,
        )
        (audit,) = judged.audits([WHOLE])
        broken = {row["line"]: row["rules"] for row in judged.sample()[:sample]}
        lines = ", ".join(map(str, broken)) or "null"
        found = connection.execute(f"from _dp_file_rows where _dp_line in ({lines}) order by _dp_line")
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    shown = [
        {"line": line, "rules": ", ".join(rules)} | {name: value for name, value in row.items() if name != "_dp_line"}
        for (line, rules), row in zip(broken.items(), rows, strict=True)
    ]
    return Checked(audit, 0, tuple(shown), broken)


def _refuse_missing(contract: Contract, name: str, references: Mapping[str, object], how: str) -> None:
    if name not in references:
        raise UsedWrongly("DP-C056", contract=contract.path.name, table=name, how=how)
