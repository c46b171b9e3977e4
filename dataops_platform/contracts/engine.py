"""Checks rows against a contract inside DuckDB and says which rows break which rules.

The rows end up in one temporary table, `STAGED`, with their contracted types and a list of the rules each breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.casts import typed
from dataops_platform.contracts.contract import Column, Contract, Rule
from dataops_platform.contracts.custom_checks import mark_custom_checks
from dataops_platform.contracts.predicates import Parameters, given, group_violation, violation
from dataops_platform.contracts.trial import first_words, measured, refuse_unevaluable
from dataops_platform.kit.errors import Refused, UsedWrongly, did_you_mean, some
from dataops_platform.kit.sql import identifier, identifiers, literal
from dataops_platform.manifests.manifest import WHOLE, Verdict

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGED = "_dp_staged"
REFUSED = "_dp_refused"
"""A column a user's function may add: a text says why it refuses the row, null lets it pass."""

OVER_ALL_ROWS = frozenset({"measure", "query"})
"""Kinds of rules that look at all rows of a batch together; they refuse the batch, not a row."""

RELEASED = "released"
"""The warning of a row that somebody let through although it broke a rule."""

FUNCTION = "function"
"""The rule that such a row breaks; the reason stands with the row, the verdict counts them all."""


@dataclass(frozen=True)
class BatchAudit:
    """What a contract said about one batch (one partition, or the whole table)."""

    partition: str
    rows_in: int
    rows_refused: int
    verdicts: tuple[Verdict, ...]
    unmet: tuple[str, ...] = ()
    """Rules over all rows together, of severity error, that do not hold: a limit and the number found."""

    @property
    def rows_audited(self) -> int:
        """Rows that hold the contract."""
        return self.rows_in - self.rows_refused


def stage_rows(
    connection: DuckDBPyConnection,
    source: str,
    contract: Contract,
    *,
    null_values: Sequence[str] = (),
    references: Mapping[str, str] | None = None,
    others: str | None = None,
) -> None:
    """Fills `STAGED` with the rows of the relation `source`: typed columns, `_dp_*` columns as they come, and
    `_dp_rules`, the names of the broken rules (null when the row holds the contract), and `_dp_warnings`.

    `references` gives the relation that holds each table a relationship rule refers to. `others` are the rows the
    table already has in other partitions: a key must not occur there either. Raises: Refused DP-C003 when a contracted
    column is absent, DP-C004 when there is one the contract does not know; UsedWrongly DP-C007 for a rule that DuckDB
    cannot evaluate, or that fails on a row.
    """
    refuse_unevaluable(contract)
    types = {name: kind for name, kind, *_ in connection.execute(f"describe select * from {source}").fetchall()}
    _refuse_other_columns(types, contract)
    parameters = Parameters()
    kept = [name for name in types if name.startswith("_dp_") and name != REFUSED]
    givens = ", ".join(
        f"{_given(c, types[c.name], null_values, parameters)} as {given(c.name)}" for c in contract.columns
    )
    casts = ", ".join(f"{typed(c, types[c.name])} as {identifier(c.name)}" for c in contract.columns)
    extra = f", {identifier(REFUSED)}" if REFUSED in types else ""
    kept_sql = "".join(f", {identifier(name)}" for name in kept)
    with _blamed_on(contract):
        connection.execute(
            f"create or replace temp table {STAGED} as "
            f"with given as (select {givens}{kept_sql}{extra} from {source}), "
            f"typed as (select *, {casts} from given) "
            f"select {identifiers(c.name for c in contract.columns)}{kept_sql}, "
            f"{_broken(contract, 'error', parameters, REFUSED in types)} as _dp_rules, "
            f"{_broken(contract, 'warning', parameters, False)} as _dp_warnings from typed",
            parameters.values,
        )
        for rule in contract.rules:
            _mark_across_rows(connection, rule, contract.table, references or {}, others)
    mark_custom_checks(connection, contract, STAGED)


def audits(connection: DuckDBPyConnection, contract: Contract, partitions: Sequence[str]) -> list[BatchAudit]:
    """The outcome for each partition asked for, also for those without rows; `[""]` for a table without partitions."""
    key = "_dp_partition" if list(partitions) != [WHOLE] else f"'{WHOLE}'"
    counts = connection.execute(f"select {key}, count(*), count(_dp_rules) from {STAGED} group by 1").fetchall()
    failing = connection.execute(
        f"with broken as (from {STAGED} where _dp_rules is not null or _dp_warnings is not null) "
        f"select {key}, case when starts_with(rule, '{FUNCTION}: ') then '{FUNCTION}' else rule end as rule, count(*) "
        "from broken, unnest(list_concat(coalesce(_dp_rules, []), coalesce(_dp_warnings, []))) as t(rule) group by 1, 2"
    ).fetchall()
    by_partition = {partition: (rows, refused) for partition, rows, refused in counts}
    broken = {(partition, rule): rows for partition, rule, rows in failing}
    return [
        _audit(connection, contract, partition, by_partition.get(partition, (0, 0)), broken) for partition in partitions
    ]


def _audit(
    connection: DuckDBPyConnection,
    contract: Contract,
    partition: str,
    counts: tuple[int, int],
    broken: Mapping[tuple[str, str], int],
) -> BatchAudit:
    here = {rule: rows for (found_in, rule), rows in broken.items() if found_in == partition}
    rows = f"(select * from {STAGED} where _dp_rules is null"
    rows += ")" if partition == WHOLE else f" and _dp_partition = {literal(partition)})"
    verdicts, unmet = list[Verdict](), list[str]()
    for rule in contract.rules:
        if rule.kind in OVER_ALL_ROWS:
            with _blamed_on(contract):
                found = connection.execute(measured(rule, rows)).fetchone()
            number = float(found[0]) if found and found[0] is not None else None
            wrong = broken_limit(rule, number)
            verdicts.append(Verdict(rule.name, rule.severity, int(bool(wrong)), number))
            if wrong and rule.severity == "error":
                unmet.append(f"{rule.name} {wrong}")
        else:
            verdicts.append(Verdict(rule.name, rule.severity, here.pop(rule.name, 0)))
    others = {name: "warning" if name == RELEASED else "error" for name in sorted(here)}
    verdicts += [Verdict(name, severity, here[name]) for name, severity in others.items()]
    return BatchAudit(partition, *counts, tuple(verdicts), tuple(unmet))


def broken_limit(rule: Rule, number: float | None) -> str:
    """How a number breaks the limits of its rule, in words; empty when it holds them. No number breaks them all."""
    for name, bound in rule.limits:
        if number is None or not _HOLDS[name](number, bound):
            shown = "no number" if number is None else f"{number:g}"
            return f"is {shown}, {name} {bound if not isinstance(bound, tuple) else f'{bound[0]:g} and {bound[1]:g}'}"
    return ""


_HOLDS: dict[str, Callable[[float, Any], bool]] = {
    "mustBe": lambda number, bound: number == bound,
    "mustNotBe": lambda number, bound: number != bound,
    "mustBeGreaterThan": lambda number, bound: number > bound,
    "mustBeGreaterOrEqualTo": lambda number, bound: number >= bound,
    "mustBeLessThan": lambda number, bound: number < bound,
    "mustBeLessOrEqualTo": lambda number, bound: number <= bound,
    "mustBeBetween": lambda number, bound: bound[0] <= number <= bound[1],
    "mustNotBeBetween": lambda number, bound: not bound[0] <= number <= bound[1],
}


@contextmanager
def _blamed_on(contract: Contract) -> Iterator[None]:
    import duckdb

    try:
        yield
    except (duckdb.DataError, duckdb.ProgrammingError) as error:
        raise UsedWrongly(
            "DP-C007",
            f"a rule fails on a row of {contract.table} instead of judging it: {first_words(error)}",
            where=f"contract {contract.path.name} {contract.version}",
            fix="write the rule so that it is true, false or null for every row: try_cast instead of cast",
        ) from error


def _refuse_other_columns(types: Mapping[str, str], contract: Contract) -> None:
    present = [name for name in types if not name.startswith("_dp_")]
    missing = [c.name for c in contract.columns if c.name not in types]
    where = f"table {contract.table}, contract {contract.path.name} {contract.version}"
    if missing:
        hint = did_you_mean(missing[0], present)
        raise Refused(
            "DP-C003",
            f"contracted column{'s' if len(missing) > 1 else ''} {some(missing)} absent from the data; {hint}",
            where=where,
            fix="correct the name in the contract, or deliver the column",
        )
    unknown = [name for name in present if name not in {c.name for c in contract.columns}]
    if unknown:
        raise Refused(
            "DP-C004",
            f"the data has {some(unknown)}, which the contract does not know",
            where=where,
            fix="add it to the contract, or leave it out of the data",
        )


def _given(column: Column, given_type: str, null_values: Sequence[str], parameters: Parameters) -> str:
    name = identifier(column.name)
    if given_type != "VARCHAR" or not null_values:
        return name
    nulls = ", ".join(parameters.bind(value) for value in null_values)
    return f"case when {name} in ({nulls}) then null else {name} end"


def _broken(contract: Contract, severity: str, parameters: Parameters, functions_word: bool) -> str:
    """SQL of the list of broken rules of one severity, null when there are none."""
    compiled = [(r.name, violation(r, parameters)) for r in contract.rules if r.severity == severity]
    tests = [(parameters.bind(name), sql) for name, sql in compiled if sql is not None]
    if functions_word:
        tests.append((f"'{FUNCTION}: ' || {identifier(REFUSED)}", f"{identifier(REFUSED)} is not null"))
    if not tests:
        return "null::varchar[]"
    any_broken = " or ".join(f"({sql})" for _, sql in tests)
    names = ", ".join(f"case when {sql} then {name} end" for name, sql in tests)
    return f"case when {any_broken} then list_filter([{names}], lambda x: x is not null) end"


def _mark_across_rows(
    connection: DuckDBPyConnection, rule: Rule, table: str, references: Mapping[str, str], others: str | None
) -> None:
    if rule.kind == "unique":
        condition = group_violation(rule, STAGED)
        if others is not None:
            keys = identifiers(rule.columns)
            condition += f" or ({keys}) in (select {keys} from {others})"
    elif rule.kind == "relationship":
        referred, _, name = str(rule.argument).partition(".")
        column, own = identifier(name), identifier(rule.columns[0])
        known = f"select {column} from {STAGED if referred == table else references[referred]}"
        if referred == table and others is not None:
            known += f" union all select {column} from {others}"
        condition = f"{own} is not null and {own} not in (select * from ({known}) as known(k) where k is not null)"
    else:
        return
    target = "_dp_rules" if rule.severity == "error" else "_dp_warnings"
    connection.execute(
        f"update {STAGED} set {target} = list_append(coalesce({target}, []), $rule) where {condition}",
        {"rule": rule.name},
    )
