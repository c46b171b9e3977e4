"""Our sides: `python -m benchmarks.contracts.ours TASK REPORT MODE`. How the engine is called stands only here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contracts.findings import Finding, each
from benchmarks.contracts.side import Task, answer

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dataops_platform.contracts.engine import Judgement


def verdicts(task: Task) -> list[Finding]:
    """Failing rows of each rule of the contract."""
    return _judged(task, f"(from read_parquet('{task.rows}'))")


def full(task: Task) -> list[Finding]:
    """Verdicts, digest and profile, and the good and the refused rows written to two Parquet files."""
    import duckdb

    from dataops_platform.contracts.engine import BROKEN
    from dataops_platform.warehouse.digest import digests
    from dataops_platform.warehouse.profile import profiles

    with duckdb.connect() as connection:
        rows = f"read_parquet('{task.rows}', file_row_number = true)"
        source = f"(select * exclude (file_row_number), file_row_number as _dp_line from {rows})"
        judged = _judgement(connection, task, source)
        judged.split()
        good = f"(select {', '.join(c for c in judged.rows.columns if c != '_dp_line')} from {judged.good()})"
        digests(connection, good, [""])
        profiles(connection, good, [""], frozenset(judged.rows.columns))
        connection.execute(f"copy {good} to '{task.folder}/good.parquet' (format parquet)")
        connection.execute(f"copy {BROKEN} to '{task.folder}/refused.parquet' (format parquet)")
        return _found(judged)


def recheck(task: Task) -> list[Finding]:
    """Failing rows of each rule among the rows that came later; a key must not be among the earlier ones either."""
    return _judged(task, f"(from read_parquet('{task.added}'))", f"(from read_parquet('{task.rows}'))")


def _judgement(connection: DuckDBPyConnection, task: Task, source: str, others: str | None = None) -> Judgement:
    from dataops_platform.contracts.compiled import compile_contract
    from dataops_platform.contracts.engine import judge
    from dataops_platform.contracts.odcs import load_contract

    return judge(connection, source, compile_contract(load_contract(Path(task.contract))), others=others, samples=100)


def _found(judged: Judgement) -> list[Finding]:
    """Its rules of types are judged on top of the 25 and must find nothing."""
    (audit,) = judged.audits([""])
    return each({v.rule: v.failing_rows for v in audit.verdicts if v.failing_rows or not v.rule.endswith(":type")})


def _judged(task: Task, source: str, others: str | None = None) -> list[Finding]:
    """What the engine says of a relation."""
    import duckdb

    with duckdb.connect() as connection:
        judged = _judgement(connection, task, source, others)
        return _found(judged)


MODES = {"verdicts": verdicts, "full": full, "recheck": recheck}

if __name__ == "__main__":
    answer(["duckdb", "dataops_platform.contracts.engine", "dataops_platform.contracts.odcs"], MODES[sys.argv[3]])
