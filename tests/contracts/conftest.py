"""A contract from a few lines of YAML, and what it says about rows in a real DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import BatchAudit, judge
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.sql import identifiers
from tests.fixtures.contract_head import contract_head

HEAD = contract_head(version="1.2.3", team="sales")


@pytest.fixture
def contract(tmp_path: Path) -> Callable[..., Contract]:
    """`contract("{name: a, logicalType: string}", …, quality=["{…}"])`: the contract of a table `orders`."""

    def written(*properties: str, quality: Sequence[str] = (), head: str = HEAD) -> Contract:
        lines = [head, *(f"      - {prop}\n" for prop in properties)]
        lines += ["    quality:\n"] * bool(quality) + [f"      - {rule}\n" for rule in quality]
        path = tmp_path / "orders.odcs.yaml"
        path.write_text("".join(lines))
        return load_contract(path)

    return written


@dataclass(frozen=True)
class Judged:
    """What a contract said: values as staged, rules broken and warnings, row by row, and the audits."""

    values: list[tuple[Any, ...]]
    rules: list[list[str] | None]
    warnings: list[list[str] | None]
    audits: list[BatchAudit]

    @property
    def failing(self) -> dict[str, int]:
        """Failing rows of each rule that some row broke, over all batches."""
        totals: dict[str, int] = {}
        for verdict in (v for audit in self.audits for v in audit.verdicts if v.failing_rows):
            totals[verdict.rule] = totals.get(verdict.rule, 0) + verdict.failing_rows
        return totals


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own, in memory, in UTC like the lake."""
    with duckdb.connect() as found:
        found.execute("set TimeZone = 'UTC'")
        yield found


@pytest.fixture(name="judge")
def judge_columns(connection: duckdb.DuckDBPyConnection) -> Callable[..., Judged]:
    """`judge(contract, {"a": ["1", None]}, …)`: what a contract says about columns of a table; texts unless typed."""

    def judged(
        contract: Contract,
        columns: Mapping[str, Sequence[Any]] | pa.Table,
        *,
        partitions: Sequence[str] = ("",),
        **options: Any,
    ) -> Judged:
        table = columns if isinstance(columns, pa.Table) else pa.table({c: _typed(v) for c, v in columns.items()})
        connection.register("given_rows", table.append_column("_dp_line", pa.array(range(1, table.num_rows + 1))))
        found = judge(connection, "given_rows", compile_contract(contract), **options)
        names = identifiers(column.name for column in contract.columns)
        rows = connection.execute(
            f"select _dp_rules, _dp_warnings, {names} from {found.rows.sql} "
            f"left join (select _dp_line, _dp_rules, _dp_warnings from {found.marked()}) using (_dp_line) "
            "order by _dp_line"
        ).fetchall()
        return Judged(
            [tuple(row[2:]) for row in rows],
            [row[0] for row in rows],
            [row[1] for row in rows],
            found.audits(partitions),
        )

    return judged


def _typed(values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.string()) if all(v is None or isinstance(v, str) for v in values) else pa.array(values)
