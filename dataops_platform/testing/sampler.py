"""Samples rows within the rules of a contract; a row that breaks a rule is sampled again in its columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import OVER_ALL_ROWS
from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.sql import identifier
from dataops_platform.testing.inputs import Rows, check_table, table_of
from dataops_platform.testing.values import Values, values_of

Row = dict[str, Any]
ColumnValues = Mapping[str, Sequence[Any] | Callable[[Row], Any]]
"""By column: values to choose from, or a function of the row as sampled so far."""

Start = tuple[Row, set[str]]
"""A row, and its columns that are still to be sampled."""

ROUNDS, WIDTH = 20, 100
"""How often rows that break a rule are sampled again, and how many rows are sampled at once."""

NULLS = (0.15, 0.5, 0.0)
"""Shares of nulls in optional columns, tried one after another."""


@dataclass(frozen=True)
class Source:
    """What rows are sampled from: a contract, values that a test gives for some columns, and the referenced tables."""

    contract: Contract
    values: ColumnValues
    references: Mapping[str, Rows]


def source_of(contract: Contract, values: ColumnValues | None, references: Mapping[str, Rows] | None) -> Source:
    """Return the source of rows after checking a test's arguments; every rule becomes an error.

    Raises: UsedWrongly DP-C087, DP-C056.
    """
    names = [column.name for column in contract.columns]
    for name in values or {}:
        if name not in names:
            raise UsedWrongly("DP-C087", contract=contract.path.name, column=name, hint=did_you_mean(name, names))
    all_errors = replace(contract, rules=tuple(replace(rule, severity="error") for rule in contract.rules))
    source = Source(all_errors, values or {}, references or {})
    check_table(all_errors, table_of([], all_errors), source.references)
    return source


def draw_rows(
    source: Source, count: int, chance: Random, nulls: float, beside: Sequence[Row] = ()
) -> tuple[list[Row], Counter[str]]:
    """Return at most `count` rows that hold every row rule, also together with `beside`, and the rules most often
    broken.

    Fewer rows are returned when not enough are found.
    """
    row_rules = replace(source.contract, rules=tuple(r for r in source.contract.rules if r.kind not in OVER_ALL_ROWS))
    names = [column.name for column in row_rules.columns]
    columns = {rule.name: set(rule.columns) for rule in row_rules.rules}
    values = {name: values_left(source, name) for name in names}
    nothing = [rule for name in names for rule in _contradicting(source, name, values[name])]
    if nothing:
        return [], Counter(nothing)
    failed: Counter[str] = Counter()
    rows, wanted = list(beside), count + len(beside)
    starts: list[Start] = [({}, set(names))] * count
    for _ in range(ROUNDS):
        candidates = rows + list(_draw(source, values, rows, starts, chance, nulls, failed))
        if len(candidates) == len(rows):
            break
        checked = check_table(
            row_rules, table_of(candidates, row_rules), source.references, sample=max(len(candidates), 1)
        )
        failed.update(rule for rules in checked.broken.values() for rule in rules)
        broken = [(candidates[line - 1], columns[chance.choice(rules)]) for line, rules in checked.broken.items()]
        rows = [row for index, row in enumerate(candidates, 1) if index not in checked.broken][:wanted]
        if len(rows) == wanted:
            break
        starts = [*broken, *[({}, set(names))] * WIDTH][: max(WIDTH, wanted - len(rows))]
    most = max(failed.values(), default=0)
    return rows[len(beside) :], Counter({rule: often for rule, often in failed.items() if often >= most / 2})


def null_shares(source: Source) -> Sequence[float]:
    """Return the shares of nulls worth trying; one is enough where every column must be filled."""
    filled = {rule.columns[0] for rule in source.contract.rules if rule.kind == "required"} | set(source.values)
    return NULLS if any(column.name not in filled for column in source.contract.columns) else NULLS[:1]


def with_functions(source: Source, row: Row) -> Row:
    """Return a row with the columns filled whose values a test gives as functions."""
    for name, given in source.values.items():
        if callable(given):
            row = {**row, name: given(row)}
    return row


def values_left(source: Source, name: str) -> Values:
    """Return the values that a column may hold: those that the test gives, else those that its rules allow."""
    given = source.values.get(name)
    if given is not None:
        pool = () if callable(given) else tuple(given)
        return Values(pool, lambda chance: chance.choice(pool) if pool else None)
    column, contract = source.contract.column(name), source.contract
    rules = [rule for rule in contract.rules if rule.columns == (name,)]
    found = None
    for rule in (rule for rule in rules if rule.kind == "relationship"):
        table, _, referred = str(rule.argument).partition(".")
        if table != contract.table:
            known = _referred(table_of(source.references[table]).arrow, referred, column.sql_type)
            found = [value for value in known if found is None or value in found]
    return values_of(column, rules, found)


def _referred(table: Any, name: str, sql_type: str) -> list[Any]:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("known", table)
        value = f"try_cast({identifier(name)} as {sql_type})"
        found = connection.sql(f"select distinct {value} as v from known where {value} is not null order by v")
        return list(found.to_arrow_table().column(0).to_pylist())


def _contradicting(source: Source, name: str, values: Values) -> list[str]:
    """Return the rules of a required column that together allow no value."""
    if name in source.values or values.pool is None or len(values.pool):
        return []
    rules = [rule for rule in source.contract.rules if rule.columns == (name,)]
    filled = any(rule.kind == "required" for rule in rules)
    return [rule.name for rule in rules if rule.kind not in ("type", "required", "unique")] if filled else []


def _draw(
    source: Source,
    values: Mapping[str, Values],
    taken: Sequence[Row],
    starts: Sequence[Start],
    chance: Random,
    nulls: float,
    failed: Counter[str],
) -> Iterator[Row]:
    """Yield rows whose keys differ from each other's and from those of `taken`; count in `failed` the keys that could
    not.
    """
    contract = source.contract
    needed = {rule.columns[0] for rule in contract.rules if rule.kind == "required"}
    keys = {rule.name: rule.columns for rule in contract.rules if rule.kind == "unique"}
    used = {name: {_key(row, columns) for row in taken} - {None} for name, columns in keys.items()}
    fresh = {
        columns[0]: _fresh(values[columns[0]], used[name], len(starts), chance)
        for name, columns in keys.items()
        if len(columns) == 1
    }
    self_references = _own_references(contract)

    def value(name: str) -> Any:
        if name not in needed and name not in source.values and chance.random() < nulls:
            return None
        if name in fresh:
            return next(fresh[name], None if name not in needed else values[name].draw(chance))
        return values[name].draw(chance)

    for start, again in starts:
        row = dict(start)
        for _ in range(100):
            row |= {column.name: value(column.name) for column in contract.columns if column.name in again}
            row |= {name: row[other] for name, other in self_references.items() if row[name] is not None}
            row = with_functions(source, row)
            duplicates = [name for name in keys if _key(row, keys[name]) in used[name]]
            if not duplicates:
                break
            again = {column for name in duplicates for column in keys[name]}
        if duplicates:
            failed.update(duplicates)
            continue
        for name in keys:
            used[name] |= {_key(row, keys[name])} - {None}
        yield row


def _fresh(values: Values, used: set[str | None], size: int, chance: Random) -> Iterator[Any]:
    """Yield values that no row has yet, each once, until there are no more."""
    found: Iterable[Any] = (values.draw(chance) for _ in range(20 * (size + len(used))))
    if values.pool is not None:
        found = chance.sample(values.pool, min(len(values.pool), 2 * size + len(used)))
    seen = set(used)
    for value in found:
        key = _key({"": value}, [""])
        if key is not None and key not in seen:
            seen.add(key)
            yield value


def _key(row: Row, columns: Sequence[str]) -> str | None:
    """Return the key of a row as text, or None when a part of it is null: such a key equals no other."""
    parts = [row[name] for name in columns]
    return None if None in parts else repr(parts)


def _own_references(contract: Contract) -> dict[str, str]:
    """Return the columns that refer to a column of the same table, with that column: a row may refer to itself."""
    found = [rule for rule in contract.rules if rule.kind == "relationship"]
    pairs = {rule.columns[0]: str(rule.argument).partition(".") for rule in found}
    return {name: column for name, (table, _, column) in pairs.items() if table == contract.table}
