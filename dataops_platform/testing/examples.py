"""Rows made from a contract, that hold it: drawn by what its rules leave, and judged by the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.errors import UsedWrongly, some
from dataops_platform.testing.inputs import GivenContract, Rows, broken_rules, contract_of, judged, table_of
from dataops_platform.testing.sampler import Given, Row, Source, drawn, null_shares, source_of


def example_rows(
    contract: GivenContract,
    count: int = 10,
    seed: int = 0,
    *,
    values: Given | None = None,
    references: Mapping[str, Rows] | None = None,
) -> list[Row]:
    """So many rows that hold the contract, warnings too; the same for the same contract, count, seed and values.

    Types, required, unique, enum, bounds, lengths, simple patterns and relationships are drawn; whatever else the
    contract asks for is tried. Columns that need not be filled are sometimes null. `values` helps where trying finds
    nothing: values to choose from, or a function of the row without such columns. `references` has the rows of each
    table that a relationship refers to. Raises: UsedWrongly DP-C036 with the rules that could not be satisfied, DP-C087
    for values of a column the contract does not have, DP-C056 for a table referred to that is not given.
    """
    source = source_of(contract_of(contract), values, references)
    failures: list[Counter[str]] = []
    for nulls in null_shares(source):
        rows, failed = drawn(source, count, Random(seed), nulls)  # noqa: S311
        if len(rows) == count:
            failed = _broken_together(source, rows)
            if not failed:
                return rows
        failures.append(failed)
    raise _impossible(source.contract, count, min(failures, key=len))


def _broken_together(source: Source, rows: list[Row]) -> Counter[str]:
    """The rules that rows break, over all rows together too."""
    return Counter(broken_rules(judged(source.contract, table_of(rows, source.contract), source.references)))


def _impossible(contract: Contract, count: int, failed: Counter[str]) -> UsedWrongly:
    rules = [name for name, _ in failed.most_common()]
    columns = dict.fromkeys(column for rule in contract.rules if rule.name in rules for column in rule.columns)
    return UsedWrongly(
        "DP-C036",
        count=count,
        rules=some(rules),
        columns=some(columns) or "none",
        contract=contract.path.name,
        version=contract.version,
    )
