"""The check engine: judges rows by a compiled contract inside DuckDB.

Rules that look at other rows or tables are evaluated first, each on its own columns. Then one scan selects the rows
that break any rule, and each rule is evaluated only on those rows. Rows are copied where `typed_rows` needs it, and to
split them where some are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.compiled import ROWS, CompiledContract
from dataops_platform.contracts.contract import Contract, Rule
from dataops_platform.contracts.custom_checks import store_failing_rows
from dataops_platform.contracts.limits import broken_limit
from dataops_platform.contracts.other_rows import duplicate_keys, missing_references
from dataops_platform.contracts.sql_check import error_summary
from dataops_platform.contracts.typed_rows import REFUSED, TypedRows, as_type_of, type_rows
from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.relation import columns_of
from dataops_platform.kit.sql import identifier, identifiers, literal
from dataops_platform.manifests.manifest import WHOLE, Verdict

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BROKEN = "_dp_broken"
"""The temporary table of refused rows; `Judgement.split` fills it."""

OVER_ALL_ROWS = frozenset({"measure", "query"})
"""Kinds of rules that judge all rows of a batch together; they refuse the batch, not a row."""

RELEASED = "released"
"""The warning of a row that a steward released although it breaks a rule."""

FUNCTION = "function"
"""The rule that a row breaks when a user's function refuses it. The row keeps the reason, the verdict counts rows."""


@dataclass(frozen=True)
class BatchAudit:
    """The outcome of a contract for one batch (one partition, or the whole table)."""

    partition: str
    rows_in: int
    rows_refused: int
    verdicts: tuple[Verdict, ...]
    unmet: tuple[str, ...] = ()
    """Violated rules over all rows together, of severity error: the limit and the number found."""

    @property
    def rows_audited(self) -> int:
        """The number of rows that hold the contract."""
        return self.rows_in - self.rows_refused


@dataclass(frozen=True)
class _Test:
    """A rule as a condition on a typed row, and SQL of the rule's name as a refused row carries it.

    `flag` is the column of `Judgement._failing` that holds the result.
    """

    rule: str
    severity: str
    sql: str
    name: str
    flag: str


@dataclass
class _Batch:
    """The counts of one batch."""

    rows_in: int = 0
    rows_refused: int = 0
    failing: dict[str, int] = field(default_factory=dict)


class Judgement:
    """The outcome of a compiled contract for typed rows. The rows stay where they are until they are split."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        compiled: CompiledContract,
        rows: TypedRows,
        marked: str,
        tests: Sequence[_Test],
        samples: int,
    ) -> None:
        self.connection, self.rows, self._compiled, self._marked = connection, rows, compiled, marked
        self._contract, self._tests = compiled.contract, tests
        self._is_split = False
        # rows without partitions are one batch, under the key of a whole table
        part = "_dp_partition" if "_dp_partition" in rows.columns else literal(WHOLE)
        with _rule_errors_of(compiled.contract):
            counts = connection.execute(f"select {part}, count(*) from {rows.sql} group by 1").fetchall()
            self._batches = {partition: _Batch(count) for partition, count in counts}
            self._sampled = self._count(part, samples) if tests else []

    @property
    def rows_refused(self) -> int:
        """The number of rows that break a rule of severity error."""
        return sum(batch.rows_refused for batch in self._batches.values())

    def audits(self, partitions: Sequence[str]) -> list[BatchAudit]:
        """Return the audit of each partition asked for, also of one without rows; `[""]` asks for all rows together."""
        return [self._audit(partition) for partition in partitions]

    def sample(self) -> list[dict[str, Any]]:
        """Return refused rows, at most `samples` for each rule: position, `rules`, and the columns as texts."""
        return self._sampled

    def marked(self) -> str:
        """Return SQL of the rows that break a rule, with the lists `_dp_rules` and `_dp_warnings` (null when empty)."""
        errors, warnings = (self._names(severity) for severity in ("error", "warning"))
        return (
            f"(select {identifiers(self.rows.columns)}, {errors} as _dp_rules, {warnings} as _dp_warnings "
            f"from {self._failing('error', 'warning')})"
        )

    def good(self) -> str:
        """Return SQL of the rows that hold the contract or are released, with the columns of `TypedRows`."""
        if not self.rows_refused:
            return self.rows.sql
        if self._is_split:
            refused = f"(from {BROKEN} where _dp_rules is not null)"
            return f"(from {self.rows.sql} anti join {refused} using ({identifiers(self.rows.position)}))"
        return f"(from {self._marked} where ({self._any('error')}) is not true)"

    def split(self) -> None:
        """Fill `BROKEN` with the refused rows and `_dp_rules`, the rules that each of them breaks.

        From then on a row is good unless it is in `BROKEN`, so that every row is exactly one of the two, even when a
        rule gives another result on a second evaluation. Raises: UsedWrongly DP-C075 for such a rule.
        """
        if self._is_split:
            return
        rows = self._failing("error") if self.rows_refused else self._failing()
        with _rule_errors_of(self._contract):
            written = self.connection.execute(
                f"create or replace temp table {BROKEN} as select {identifiers(self.rows.columns)}, "
                f"{self._names('error')} as _dp_rules from {rows}"
            ).fetchone()
        self._is_split = True
        if (written or (0,))[0] != self.rows_refused:
            raise UsedWrongly(
                "DP-C075",
                table=self._contract.table,
                contract=self._contract.path.name,
                version=self._contract.version,
            )

    def release(self, rows: Sequence[tuple[str, int]]) -> None:
        """Let rows pass after the split, by `_dp_file` and `_dp_line`; from then on each counts as a warning."""
        part = "_dp_partition" if "_dp_partition" in self.rows.columns else literal(WHOLE)
        for file, line in rows:
            where = f"_dp_file = {literal(file)} and _dp_line = {literal(line)} and _dp_rules is not null"
            found = self.connection.execute(f"select {part}, _dp_rules from {BROKEN} where {where}").fetchone()
            if found is None:
                continue
            batch = self._batches[found[0]]
            batch.rows_refused -= 1
            batch.failing[RELEASED] = batch.failing.get(RELEASED, 0) + 1
            for rule in {_counted_as(name) for name in found[1]}:
                batch.failing[rule] -= 1
            self.connection.execute(f"update {BROKEN} set _dp_rules = null where {where}")

    def _audit(self, partition: str) -> BatchAudit:
        batch = self._batches.get(partition, _Batch()) if partition != WHOLE else self._whole()
        rest = dict(batch.failing)
        verdicts, unmet = list[Verdict](), list[str]()
        for rule in self._contract.rules:
            if rule.kind in OVER_ALL_ROWS:
                number = self._measured(rule, partition)
                wrong = broken_limit(rule, number)
                verdicts.append(Verdict(rule.name, rule.severity, int(bool(wrong)), number))
                if wrong and rule.severity == "error":
                    unmet.append(f"{rule.name} {wrong}")
            else:
                verdicts.append(Verdict(rule.name, rule.severity, rest.pop(rule.name, 0)))
        others = {name: "warning" if name == RELEASED else "error" for name in sorted(rest) if rest[name]}
        verdicts += [Verdict(name, severity, rest[name]) for name, severity in others.items()]
        return BatchAudit(partition, batch.rows_in, batch.rows_refused, tuple(verdicts), tuple(unmet))

    def _whole(self) -> _Batch:
        failing = Counter[str]()
        for batch in self._batches.values():
            failing.update(batch.failing)
        return _Batch(sum(batch.rows_in for batch in self._batches.values()), self.rows_refused, dict(failing))

    def _measured(self, rule: Rule, partition: str) -> float | None:
        where = "" if partition == WHOLE else f" where _dp_partition = {literal(partition)}"
        rows = f"(select {identifiers(self.rows.columns)} from {self.good()}{where})"
        with _rule_errors_of(self._contract):
            found = self.connection.execute(self._compiled.measures[rule.name].replace(ROWS, rows)).fetchone()
        return float(found[0]) if found and found[0] is not None else None

    def _count(self, part: str, samples: int) -> list[dict[str, Any]]:
        """Count the failing rows of each batch and rule, and return samples of the refused ones."""
        errors = [test for test in self._tests if test.severity == "error"]
        kept = self._sample_sql() if samples else "null"
        refused = " or ".join(test.flag for test in errors) or "false"
        counts = ", ".join(f"count(*) filter ({test.flag})" for test in self._tests)
        firsts = "".join(f", min(_dp_row, {samples}) filter ({test.flag})" for test in errors if samples)
        found = self.connection.execute(
            f"select {part}, count(*) filter ({refused}), {counts}{firsts} "
            f"from (select *, {kept} as _dp_row from {self._failing('error', 'warning')}) group by 1"
        ).fetchall()
        sampled: dict[str, dict[str, Any]] = {}
        for partition, rows_refused, *rest in found:
            batch = self._batches[partition]
            batch.rows_refused = rows_refused
            batch.failing = {test.rule: n for test, n in zip(self._tests, rest, strict=False)}
            for row in (row for rows in rest[len(self._tests) :] for row in rows or ()):
                sampled[repr(row)] = row
        first = [f"_dp_by_{name}" for name in self.rows.position]
        return [self._as_sample(row) for row in sorted(sampled.values(), key=lambda row: [row[name] for name in first])]

    def _sample_sql(self) -> str:
        """Return SQL of a refused row as a struct that sorts by the row's position, or else by its key."""
        first = self.rows.position or self._contract.primary_key
        order = ", ".join(f"{identifier(f'_dp_by_{name}')}: {identifier(name)}" for name in first)
        values = ", ".join(f"{identifier(c)}: {identifier(c)}::varchar" for c in self._columns)
        return f"{{{order}{', ' if order else ''}{identifier('_dp_rules')}: {self._names('error')}, {values}}}"

    def _as_sample(self, row: Mapping[str, Any]) -> dict[str, Any]:
        position = {name.removeprefix("_dp_"): row[f"_dp_by_{name}"] for name in self.rows.position}
        known = position | {"rules": tuple(row["_dp_rules"])}
        return known | {c if c not in known else f"{c} (column)": row[c] for c in self._columns}

    @property
    def _columns(self) -> list[str]:
        return [column.name for column in self._contract.columns]

    def _any(self, *severities: str) -> str:
        return " or ".join(f"({test.sql})" for test in self._tests if test.severity in severities) or "false"

    def _failing(self, *severities: str) -> str:
        """Return SQL of the rows that break a rule of these severities, with a flag for each test."""
        flags = "".join(f", {test.sql} as {test.flag}" for test in self._tests)
        reason = f", {identifier(REFUSED)}" if self.rows.has_refusals else ""
        columns = f"{identifiers(self.rows.columns)}{reason}{flags}"
        return f"(select {columns} from {self._marked} where {self._any(*severities)})"

    def _names(self, severity: str) -> str:
        """Return SQL of a list: the rules of one severity that a row of `_failing` breaks; null when there are none."""
        tests = [test for test in self._tests if test.severity == severity]
        if not tests:
            return "null::varchar[]"
        names = ", ".join(f"case when {test.flag} then {test.name} end" for test in tests)
        broken = f"list_filter([{names}], lambda x: x is not null)"
        return f"case when {' or '.join(test.flag for test in tests)} then {broken} end"


def judge(
    connection: DuckDBPyConnection,
    source: str,
    compiled: CompiledContract,
    *,
    null_values: Sequence[str] = (),
    references: Mapping[str, str] | None = None,
    others: str | None = None,
    samples: int = 0,
) -> Judgement:
    """Judge the rows of the relation `source` by a compiled contract.

    `references` maps each table that a relationship refers to to a relation. `others` are the rows that the table
    already has in other partitions: a key must not occur there either. `samples` is how many refused rows to keep for
    each rule.
    Raises: Refused DP-C003 for a missing contracted column, DP-C004 for a column outside the contract; UsedWrongly
    DP-C076 for a rule that fails on a row, DP-C017 or DP-C055 for a relationship with a missing table or column.
    """
    contract = compiled.contract
    with _rule_errors_of(contract):
        rows = type_rows(connection, source, contract, null_values)
        tests, marks = list[_Test](), list[str]()
        for number, rule in enumerate(contract.rules):
            if rule.kind == "type" and rule.columns[0] in rows.already_typed:
                continue  # no value was cast, so none can have failed to
            sql, mark = compiled.violations.get(rule.name, ""), f"_dp_rule_{number}"
            found = "" if sql else _beyond_the_row(connection, rows, rule, contract, mark, references or {}, others)
            if found:
                marks.append(f", {found} as {mark}")
            if sql or found:
                flag = f"_dp_broken_{number}"
                tests.append(_Test(rule.name, rule.severity, sql or mark, literal(rule.name), flag))
    if rows.has_refusals:
        refused = identifier(REFUSED)
        name = f"'{FUNCTION}: ' || {refused}"
        tests.append(_Test(FUNCTION, "error", f"{refused} is not null", name, "_dp_broken_function"))
    marked = f"(select *{''.join(marks)} from {rows.sql})" if marks else rows.sql
    return Judgement(connection, compiled, rows, marked, tests, samples)


def _beyond_the_row(
    connection: DuckDBPyConnection,
    rows: TypedRows,
    rule: Rule,
    contract: Contract,
    target: str,
    references: Mapping[str, str],
    others: str | None,
) -> str:
    """Return a condition for a rule that looks beyond one row; empty when no row breaks it, or it does not judge rows.

    The offending values are stored in the table `target`. The condition is a join with that table: evaluate it once a
    row.
    """
    found, table = f"({identifiers(rule.columns)}) in (from {target})", contract.table
    if rule.kind == "unique":
        return found if duplicate_keys(connection, rows.sql, rule, target, others) else ""
    if rule.kind == "relationship":
        referring = contract.column(rule.columns[0])
        referred, _, name = str(rule.argument).partition(".")
        column = identifier(name)
        known = f"select {column} from {rows.sql}"
        if referred != table:
            _refuse_absent(connection, rule, references[referred])
            known = (
                f"select {as_type_of(connection, references[referred], name, referring)} from {references[referred]}"
            )
        elif others is not None:
            known += f" union all select {column} from {others}"
        return found if missing_references(connection, rows.sql, rule, target, known) else ""
    if rule.kind == "python":
        return f"rowid in (from {target})" if store_failing_rows(connection, rule, rows.sql, target) else ""
    return ""


def _refuse_absent(connection: DuckDBPyConnection, rule: Rule, relation: str) -> None:
    """Refuse a relationship with a table or column that does not exist. Raises: UsedWrongly DP-C017, DP-C055."""
    import duckdb

    table, _, name = str(rule.argument).partition(".")
    try:
        columns = columns_of(connection, relation)
    except duckdb.CatalogException as error:
        raise UsedWrongly("DP-C055", place=rule.place, to=rule.argument, table=table) from error
    if name.lower() not in [column.lower() for column in columns]:
        hint = did_you_mean(name, [column for column in columns if not column.startswith("_dp_")])
        raise UsedWrongly("DP-C017", place=rule.place, to=rule.argument, table=table, hint=hint)


def _counted_as(name: str) -> str:
    return FUNCTION if name.startswith(f"{FUNCTION}: ") else name


@contextmanager
def _rule_errors_of(contract: Contract) -> Iterator[None]:
    import duckdb

    try:
        yield
    except (duckdb.DataError, duckdb.ProgrammingError) as error:
        raise UsedWrongly(
            "DP-C076",
            table=contract.table,
            reason=error_summary(error),
            contract=contract.path.name,
            version=contract.version,
        ) from error
