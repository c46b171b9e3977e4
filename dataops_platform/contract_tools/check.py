"""Checks a file or a table against a contract: without a project, a lake or Dagster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.compiled import CompiledContract, compile_contract
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
class CheckResult:
    """The outcome of a contract for some rows: the audit, the number of unreadable lines, and the first refused rows.

    `broken` maps the line of each of those rows to the rules it breaks.
    """

    audit: BatchAudit
    unreadable: int
    sample: tuple[Mapping[str, Any], ...]
    broken: Mapping[int, tuple[str, ...]]

    @property
    def holds(self) -> bool:
        """Whether no row is refused, no line is unreadable, and every rule over all rows holds."""
        return not (self.audit.rows_refused or self.audit.unmet or self.unreadable)


def check_file(
    contract: Contract | CompiledContract,
    path: Path,
    references: Mapping[str, Path] | None = None,
    null_values: tuple[str, ...] = ("",),
) -> CheckResult:
    """Check a CSV or Parquet file against a contract; `references` has a file for each table that its rules refer to.

    Raises: what `read_file` and `check_rows` raise.
    """
    compiled = contract if isinstance(contract, CompiledContract) else compile_contract(contract)
    for name in compiled.contract.referenced_tables:
        _refuse_missing(compiled.contract, name, references or {}, f"--with {name}=FILE")
    rows = read_file(path, path.name)
    others = {name: read_file(other, other.name).table for name, other in (references or {}).items()}
    return replace(check_rows(compiled, rows.table, others, null_values), unreadable=len(rows.refused))


def check_rows(
    contract: Contract | CompiledContract,
    table: pa.Table,
    references: Mapping[str, pa.Table] | None = None,
    null_values: tuple[str, ...] = (),
    sample: int = SAMPLE_ROWS,
) -> CheckResult:
    """Check an Arrow table against a contract, compiled or not; `references` has each table that its rules refer to.

    The sample identifies rows by the column `_dp_line`, which counts from 1 when the table has none. Raises: what
    `judge` raises; UsedWrongly DP-C056 when a referenced table is not given.
    """
    import duckdb

    compiled = contract if isinstance(contract, CompiledContract) else compile_contract(contract)
    contract = compiled.contract
    for name in contract.referenced_tables:
        _refuse_missing(contract, name, references or {}, f"references={{{name!r}: rows}}")
    table = with_lines(table)
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")  # it would spoil standard output
        connection.execute("set TimeZone = 'UTC'")  # a result must not depend on the machine's zone
        connection.register("_dp_file_rows", table)
        for name in contract.referenced_tables:
            connection.register(f"_dp_other_{name}", (references or {})[name])
        judged = judge(
            connection,
            "_dp_file_rows",
            compiled,
            null_values=null_values,
            references={name: identifier(f"_dp_other_{name}") for name in contract.referenced_tables},
            samples=sample,
        )
        (audit,) = judged.audits([WHOLE])
        broken = {row["line"]: row["rules"] for row in judged.sample()[:sample]}
        lines = ", ".join(map(str, broken)) or "null"
        found = connection.execute(f"from _dp_file_rows where _dp_line in ({lines}) order by _dp_line")
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    sample_rows = [
        {"line": line, "rules": ", ".join(rules)} | {name: value for name, value in row.items() if name != "_dp_line"}
        for (line, rules), row in zip(broken.items(), rows, strict=True)
    ]
    return CheckResult(audit, 0, tuple(sample_rows), broken)


def _refuse_missing(contract: Contract, name: str, references: Mapping[str, object], how: str) -> None:
    if name not in references:
        raise UsedWrongly("DP-C056", contract=contract.path.name, table=name, how=how)
