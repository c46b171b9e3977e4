"""Assertions that rows satisfy a contract, or break certain rules of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from dataops_platform.contract_tools.check import CheckResult
from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.errors import Refused, preview
from dataops_platform.testing.inputs import (
    ContractInput,
    InputTable,
    Rows,
    broken_rules,
    check_table,
    contract_of,
    rule_of,
    table_of,
)

MAX_EXAMPLES = 5
MAX_BROKEN_ROWS = 1000


def assert_holds(
    contract: ContractInput,
    rows: Rows,
    *,
    references: Mapping[str, Rows] | None = None,
    null_values: Sequence[str] | None = None,
) -> None:
    """Assert that no row is refused and that every rule over all rows together holds; warnings let rows pass.

    `contract` is a path, a text or a `Contract`; `rows` are dicts, a polars, pandas or Arrow table, or the path of a
    CSV or Parquet file. `references` has the rows of each table that a relationship refers to, by name. `null_values`
    are texts that mean null: by default the empty one in a file, none elsewhere. Raises: AssertionError with the rules,
    their counts and five rows; UsedWrongly for a contract that cannot be read.
    """
    __tracebackhide__ = True
    found = contract_of(contract)
    table, checked = _checked(found, rows, references, null_values)
    if not (checked.holds and not table.unreadable):
        audit = checked.audit
        lines = [f"{_title(found)} is broken: {audit.rows_refused} of {audit.rows_in} rows refused"]
        errors = {rule.name for rule in found.rules if rule.severity == "error"}
        lines += [f"{rule}: {count}" for rule, count in broken_rules(checked).items() if rule in errors]
        raise AssertionError("\n  ".join([*lines, *_examples(found, table, checked, errors)]))


def assert_breaks(
    contract: ContractInput,
    rows: Rows,
    rules: Mapping[str, int] | Collection[str],
    *,
    references: Mapping[str, Rows] | None = None,
    null_values: Sequence[str] | None = None,
) -> None:
    """Assert that the rows break exactly these rules: `{"amount:minimum": 1}` counts rows, `{"amount:minimum"}` does
    not.

    Warnings are rules, too. A rule over all rows together counts 1. The other arguments are those of `assert_holds`.
    Raises: AssertionError with the differences and five rows; UsedWrongly DP-C035 for a rule that the contract lacks.
    """
    __tracebackhide__ = True
    found = contract_of(contract)
    names = [rules] if isinstance(rules, str) else list(rules)
    for name in names:
        rule_of(found, name)
    table, checked = _checked(found, rows, references, null_values)
    broken = broken_rules(checked)
    wanted = {name: rules[name] if isinstance(rules, Mapping) else max(broken.get(name, 0), 1) for name in names}
    differing = [r.name for r in found.rules if broken.get(r.name, 0) != wanted.get(r.name, 0)]
    if differing or table.unreadable:
        lines = [f"{_title(found)} is not broken as expected"]
        lines += [f"{rule}: {broken.get(rule, 0)}, expected {_expected(rules, wanted, rule)}" for rule in differing]
        raise AssertionError("\n  ".join([*lines, *_examples(found, table, checked, set(differing))]))


def _expected(rules: Mapping[str, int] | Collection[str], wanted: Mapping[str, int], rule: str) -> str:
    return str(wanted.get(rule, 0)) if isinstance(rules, Mapping) or rule not in wanted else "at least 1"


def _title(contract: Contract) -> str:
    return f"{contract.id} {contract.version}"


def _checked(
    contract: Contract, rows: Rows, references: Mapping[str, Rows] | None, null_values: Sequence[str] | None
) -> tuple[InputTable, CheckResult]:
    """Check rows against a contract. Rows with other columns, and unreadable files, fail the assertion as well."""
    __tracebackhide__ = True
    try:
        table = table_of(rows, contract)
        return table, check_table(contract, table, references, null_values, MAX_BROKEN_ROWS)
    except Refused as error:
        raise AssertionError(str(error)) from None


def _examples(contract: Contract, table: InputTable, checked: CheckResult, rules: set[str]) -> Iterator[str]:
    """Yield the first rows that break one of `rules`, with the values involved; first the rules over all rows."""
    for unmet in checked.audit.unmet[:MAX_EXAMPLES]:
        yield f"all rows together: {unmet}"
    for refused in table.unreadable[:MAX_EXAMPLES]:
        yield f"line {refused.line} is no row: {refused.reason}"
    columns = {rule.name: rule.columns for rule in contract.rules}
    examples = [
        (line, [r for r in columns if r in broken]) for line, broken in checked.broken.items() if rules & {*broken}
    ]
    for line, broken in examples[:MAX_EXAMPLES]:
        position = table.arrow["_dp_line"].index(line).as_py() if table.is_file else line - 1
        used = dict.fromkeys(column for rule in broken for column in columns[rule])
        values = [f"{name}={table.arrow[name][position].as_py()!r}" for name in used]
        yield f"{f'line {line}' if table.is_file else f'rows[{line - 1}]'} breaks {preview(broken)}: {preview(values)}"
