"""Rows generated from a contract that break one of its rules and no other, to test that each rule can fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

from dataops_platform.contracts.contract import Contract, Rule, RuleKind
from dataops_platform.contracts.engine import OVER_ALL_ROWS
from dataops_platform.kit.errors import UsedWrongly, preview
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.testing.inputs import (
    ContractInput,
    Rows,
    broken_rules,
    check_table,
    contract_of,
    rule_of,
    table_of,
)
from dataops_platform.testing.sampler import (
    NULLS,
    ColumnValues,
    Row,
    Source,
    draw_rows,
    null_shares,
    source_of,
    values_left,
    with_functions,
)

MAX_ROWS = 4
"""How many rows are tried with each value that may break a rule."""

_OPPOSITE: dict[RuleKind, tuple[RuleKind, int]] = {
    "minimum": ("exclusive_maximum", 0),
    "maximum": ("exclusive_minimum", 0),
    "exclusive_minimum": ("maximum", 0),
    "exclusive_maximum": ("minimum", 0),
    "min_length": ("max_length", -1),
    "max_length": ("min_length", 1),
}
"""The rule that holds where another is broken, and the offset of its bound."""


_BESIDE: dict[RuleKind, tuple[int, ...]] = {
    "minimum": (-1,),
    "maximum": (1,),
    "exclusive_minimum": (0, -1),
    "exclusive_maximum": (0, 1),
}
"""The offsets from a bound to the values just outside."""


def rules_of(contract: ContractInput) -> list[str]:
    """Return the names of the rules that a row can break: all except the type of a text column, which takes any value.

    Raises: what `load_contract` raises.
    """
    found = contract_of(contract)
    return [rule.name for rule in found.rules if not (rule.kind == "type" and rule.argument == "string")]


def rows_breaking(
    contract: ContractInput,
    rule: str,
    count: int = 10,
    seed: int = 0,
    *,
    values: ColumnValues | None = None,
    references: Mapping[str, Rows] | None = None,
) -> list[Row]:
    """Return about `count` rows, of which as few as possible break `rule` and none breaks another rule of the contract.

    A rule over all rows together may need more rows, fewer or none. `values` and `references` are those of
    `example_rows`; values given for the column of the rule may break it. Raises: UsedWrongly DP-C037 when such rows
    break other rules too, naming them, DP-C092 when none are found; DP-C035 for a rule, DP-C087 for a column that the
    contract lacks.
    """
    found = contract_of(contract)
    source = source_of(found, values, references)
    wanted = rule_of(source.contract, rule)
    missed: list[set[str]] = []
    for rows in _attempts(source, wanted, count, Random(seed)):  # noqa: S311
        broken = set(broken_rules(check_table(found, table_of(rows, found), source.references)))
        if broken == {rule}:
            return rows
        if rule in broken:
            missed.append(broken - {rule})
    nearest: set[str] = min(missed, key=_size, default=set())
    columns = dict.fromkeys(name for r in found.rules if r.name in {rule, *nearest} for name in r.columns)
    where, named = wanted.place or found.path.name, preview(columns) or "none"
    if not nearest:
        raise UsedWrongly("DP-C092", where=where, rule=rule, columns=named)
    raise UsedWrongly("DP-C037", where=where, rule=rule, others=preview(sorted(nearest)), columns=named)


def _size(rules: set[str]) -> int:
    return len(rules)


def _attempts(source: Source, rule: Rule, count: int, chance: Random) -> Iterator[list[Row]]:
    """Yield rows that may break the rule, the likeliest first."""
    without = tuple(other for other in source.contract.rules if other.name != rule.name)
    others = replace(source, contract=replace(source.contract, rules=without))
    against = replace(source, contract=replace(source.contract, rules=(*without, *_opposite(rule))))
    if rule.kind in OVER_ALL_ROWS:
        yield from _together(others, rule, count, chance)
        return
    together = any(other.kind in OVER_ALL_ROWS for other in without)
    for size in (count, count + 1) if together else (count,):  # one row more, for rules that count those that are left
        good = _good(source, size, chance)
        yield from _spoilt(against, rule, good, chance)
        for nulls in null_shares(source):
            odd, _ = draw_rows(against, MAX_ROWS, chance, nulls, good[: size - 1])
            only_rule = replace(source.contract, rules=(rule,))
            checked = check_table(only_rule, table_of(odd, only_rule), source.references, sample=max(len(odd), 1))
            for line in checked.broken:
                yield [*good[: size - 1], odd[line - 1]]


def _good(source: Source, count: int, chance: Random) -> list[Row]:
    """Return rows that hold every row rule; fewer than `count` when not enough are found."""
    found: list[Row] = []
    for nulls in null_shares(source):
        if len(found) < count:
            found = max(found, draw_rows(source, count, chance, nulls)[0], key=len)
    return found


def _spoilt(against: Source, rule: Rule, good: list[Row], chance: Random) -> Iterator[list[Row]]:
    """Yield good rows with one row spoilt by a value that breaks the rule."""
    if rule.kind == "unique":
        yield from _doubled(against.contract, rule, good)
    elif rule.kind not in ("expression", "python"):
        name = rule.columns[0]
        filled_first = sorted(range(len(good)), key=lambda index: good[index][name] is None)[:MAX_ROWS]
        candidates = {index: _breaking(against, rule, good[index][name], chance) for index in filled_first}
        for turn in range(max(map(len, candidates.values()), default=0)):
            for index, values in candidates.items():
                if turn < len(values):
                    spoilt = {**good[index], name: values[turn]}
                    for row in [spoilt, with_functions(against, spoilt)][: 2 if against.values else 1]:
                        yield [*good[:index], row, *good[index + 1 :]]


def _doubled(contract: Contract, rule: Rule, good: list[Row]) -> Iterator[list[Row]]:
    """Yield good rows in which two share a key: the second keeps its other values, or copies all but other keys."""
    kept = {name for r in contract.rules if r.kind == "unique" and r.name != rule.name for name in r.columns}
    filled = [row for row in good if all(row[name] is not None for name in rule.columns)]
    for first, second in pairwise(filled[: MAX_ROWS + 1]):
        rest = [row for row in good if row is not second]
        key = {name: first[name] for name in rule.columns}
        yield [*rest, {**second, **key}]
        yield [*rest, {**first, **{name: second[name] for name in kept}, **key}]


def _breaking(against: Source, rule: Rule, value: Any, chance: Random) -> list[Any]:
    """Return values that may break a rule about one column, the likeliest first; `value` breaks none."""
    if rule.kind == "type":
        return [f"no {rule.argument}"] if rule.argument != "string" else []
    if rule.kind == "required":
        return [None]
    left = values_left(against, rule.columns[0])
    found: list[Any] = []
    if isinstance(rule.argument, int | float) and rule.kind in _BESIDE:
        found = [rule.argument + step for step in _BESIDE[rule.kind]]
    if left.pool is None or len(left.pool):
        found += [left.draw(chance) for _ in range(5)]
    if isinstance(value, str):
        found += [value.upper(), value.lower(), "!" * len(value), value[::-1], f"{value}!", ""]
    return found


def _opposite(rule: Rule) -> list[Rule]:
    """Return rules that hold where another is broken; empty when there are none."""
    if rule.kind == "expression":
        return [replace(rule, argument=f"({rule.argument}\n) is not distinct from false")]
    if rule.kind == "pattern":
        test = f"not regexp_matches({identifier(rule.columns[0])}, {literal(str(rule.argument))})"
        return [replace(rule, kind="expression", argument=test)]
    kind, more = _OPPOSITE.get(rule.kind, (None, 0))
    if kind is None or not isinstance(rule.argument, int | float):
        return []
    filled = Rule("filled", "required", rule.columns)
    return [replace(rule, kind=kind, argument=rule.argument + more), filled]


def _together(others: Source, rule: Rule, count: int, chance: Random) -> Iterator[list[Row]]:
    """Yield rows that hold every other rule: none, fewer, more, with nulls, or with one value throughout a column."""
    yield []
    names = rule.columns or [column.name for column in others.contract.columns if rule.kind == "query"]
    for size in (count, 1, 2 * count, 10 * count):
        for nulls in (NULLS[0], 0.9):
            rows, _ = draw_rows(others, size, chance, nulls)
            yield rows
        for name in names if size >= count else ():
            for value in _often(others, name, rows, chance):
                yield [{**row, name: value} for row in rows]


def _often(others: Source, name: str, rows: Sequence[Row], chance: Random) -> list[Any]:
    """Return values that many rows of a column may share: null, that of one row, and another valid one."""
    left = values_left(others, name)
    return [None, *(row[name] for row in rows[:1]), left.draw(chance)]
