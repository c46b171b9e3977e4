"""Contracts as plain records: what a table must look like, who owns it, and which rules its rows must hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dataops_platform.kit.digests import digest_of

LogicalType = Literal["string", "integer", "number", "boolean", "date", "timestamp", "time"]
RuleKind = Literal[
    "type",
    "required",
    "unique",
    "minimum",
    "maximum",
    "exclusive_minimum",
    "exclusive_maximum",
    "enum",
    "pattern",
    "min_length",
    "max_length",
    "relationship",
    "expression",
    "python",
    "measure",
    "query",
]
Severity = Literal["error", "warning"]
Value = str | int | float | bool


@dataclass(frozen=True)
class Rule:
    """One rule that every row, or all rows of a batch together, must hold.

    `argument` is the bound, the pattern, the allowed values, the referenced `table.column`, the boolean SQL expression,
    or the `module:function` of a pandera check. A null passes every rule but `required`.

    A `measure` (an SQL aggregate) and a `query` (a statement that returns a number; `${object}` stands for the rows)
    judge all rows of a batch together. `limits` bound the number, as in (`mustBeLessThan`, 5). `counts` is the row rule
    whose violations a measure counts, if any. `place` is the `file:line:column` of the rule.
    """

    name: str
    kind: RuleKind
    columns: tuple[str, ...]
    argument: Value | tuple[Value, ...] | None = None
    severity: Severity = "error"
    description: str = ""
    place: str = field(default="", compare=False)
    limits: tuple[tuple[str, float | tuple[float, float]], ...] = ()
    counts: Rule | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Freshness:
    """The greatest age, in seconds, of the newest value of `column`; without a column, of the table's last write."""

    seconds: float
    column: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a table: its type, and what people should know about it."""

    name: str
    logical_type: LogicalType
    sql_type: str
    description: str = ""
    required: bool = False
    unique: bool = False
    primary_key: bool = False
    classification: str = ""
    known_at: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """What one table must look like. `digest` covers what is enforced and leaves prose out.

    `tags` are those of the file and of the table, as written. `unenforced` lists the keys that nothing enforces, as
    `file:line:column key`.
    """

    id: str
    version: str
    table: str
    owner: str
    description: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    digest: str
    path: Path
    freshness: Freshness | None = None
    tags: tuple[str, ...] = ()
    unenforced: tuple[str, ...] = field(default=(), compare=False)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The names of the key columns in file order; empty when the contract has no key."""
        return tuple(column.name for column in self.columns if column.primary_key)

    @property
    def referenced_tables(self) -> tuple[str, ...]:
        """The other tables that relationship rules refer to, sorted by name."""
        names = {str(rule.argument).partition(".")[0] for rule in self.rules if rule.kind == "relationship"}
        return tuple(sorted(names - {self.table}))

    @property
    def visible_columns(self) -> frozenset[str]:
        """The columns whose values may be shown with the table's metadata: unclassified, public or internal."""
        return frozenset(c.name for c in self.columns if c.classification.lower() in ("", "public", "internal"))

    def column(self, name: str) -> Column:
        """Return the column called `name`. Raises: KeyError."""
        return next(column for column in self.columns if column.name == name)


def enforced_digest(columns: Sequence[Column], rules: Sequence[Rule]) -> str:
    """Return the digest of what a contract enforces; prose and the order of rules do not count."""
    return digest_of(
        {
            "columns": [[c.name, c.sql_type, c.required, c.unique, c.primary_key, c.known_at] for c in columns],
            "rules": [_enforced(rule) for rule in sorted(rules, key=_by_name)],
        }
    )


def _enforced(rule: Rule) -> list[object]:
    limits = [[[name, _as_lists(bound)] for name, bound in rule.limits]] if rule.limits else []
    return [rule.name, rule.kind, list(rule.columns), _as_lists(rule.argument), rule.severity, *limits]


def _by_name(rule: Rule) -> str:
    return rule.name


def _as_lists(argument: object) -> object:
    return [_as_lists(item) for item in argument] if isinstance(argument, tuple) else argument
