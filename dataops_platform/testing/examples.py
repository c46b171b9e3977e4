"""Rows generated from a contract that satisfy it: sampled within its rules, and checked by the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.errors import UsedWrongly, preview
from dataops_platform.testing.inputs import ContractInput, Rows, broken_rules, check_table, contract_of, table_of
from dataops_platform.testing.sampler import ColumnValues, Row, Source, draw_rows, null_shares, source_of


def example_rows(
    contract: ContractInput,
    count: int = 10,
    seed: int = 0,
    *,
    values: ColumnValues | None = None,
    references: Mapping[str, Rows] | None = None,
) -> list[Row]:
    """Return `count` rows that satisfy the contract, warnings too; equal arguments give equal rows.

    Types, required, unique, enum, bounds, lengths, simple patterns and relationships are sampled directly; other rules
    are satisfied by trial. Optional columns are sometimes null. `values` helps where trials fail: by column, values to
    choose from, or a function of the row without such columns. `references` has the rows of each table that a
    relationship refers to. Raises: UsedWrongly DP-C036 with the rules that could not be satisfied, DP-C087 for values
    of a column that the contract lacks, DP-C056 for a referenced table that is not passed.
    """
    source = source_of(contract_of(contract), values, references)
    failures: list[Counter[str]] = []
    for nulls in null_shares(source):
        rows, failed = draw_rows(source, count, Random(seed), nulls)  # noqa: S311
        if len(rows) == count:
            failed = _broken_together(source, rows)
            if not failed:
                return rows
        failures.append(failed)
    raise _impossible(source.contract, count, min(failures, key=len))


def _broken_together(source: Source, rows: list[Row]) -> Counter[str]:
    """Return the rules that rows break, including those over all rows together."""
    return Counter(broken_rules(check_table(source.contract, table_of(rows, source.contract), source.references)))


def _impossible(contract: Contract, count: int, failed: Counter[str]) -> UsedWrongly:
    rules = [name for name, _ in failed.most_common()]
    columns = dict.fromkeys(column for rule in contract.rules if rule.name in rules for column in rule.columns)
    return UsedWrongly(
        "DP-C036",
        count=count,
        rules=preview(rules),
        columns=preview(columns) or "none",
        contract=contract.path.name,
        version=contract.version,
    )
