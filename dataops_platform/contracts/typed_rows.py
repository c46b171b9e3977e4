"""Rows as values of their contracted types: a relation to judge, copied only where reading a value twice is costly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.contracts.casts import cast_sql
from dataops_platform.contracts.contract import Column, Contract
from dataops_platform.contracts.predicates import untyped
from dataops_platform.kit.errors import Refused, did_you_mean, preview
from dataops_platform.kit.relation import columns_of
from dataops_platform.kit.sql import identifier, identifiers, literal

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

STAGED = "_dp_staged"
REFUSED = "_dp_refused"
"""A column that a user's function may add: a text says why it refuses the row, null lets the row pass."""


@dataclass(frozen=True)
class TypedRows:
    """A relation, as SQL, with the contracted columns in their types and the `_dp_*` columns unchanged.

    For each contracted column a flag is true where the value was not of the type (`predicates.untyped`). `columns` are
    those to keep: the contracted ones and the `_dp_*` ones with a row's position. `already_typed` are the columns that
    needed no cast. A `copied` relation is a temporary table and has row ids.
    """

    sql: str
    columns: tuple[str, ...]
    already_typed: frozenset[str]
    has_refusals: bool
    copied: bool

    @property
    def position(self) -> tuple[str, ...]:
        """The columns that identify a row, as far as the rows have them."""
        known = ("_dp_file", "_dp_line")
        return known if set(known) <= set(self.columns) else ("_dp_line",) if "_dp_line" in self.columns else ()


def type_rows(
    connection: DuckDBPyConnection, source: str, contract: Contract, null_values: Sequence[str] = ()
) -> TypedRows:
    """Return the rows of the relation `source` in their contracted types; a value that is not of its type becomes null.

    Texts that need a cast, and rows that a Python check reads, are copied into the temporary table `STAGED`; other rows
    stay where they are. Raises: Refused DP-C003 for a missing contracted column, DP-C004 for a column outside the
    contract.
    """
    types = columns_of(connection, source)
    _refuse_other_columns(types, contract)
    target = _types_of(connection, contract.columns)
    kept = [name for name in types if name.startswith("_dp_") and name != REFUSED]
    has_refusals = REFUSED in types
    passed = identifiers([*kept, *([REFUSED] if has_refusals else [])])
    passed = passed and f", {passed}"
    # a floating column is cast even to its own type: its infinities and NaN are refused
    already_typed = frozenset(
        c.name for c in contract.columns if types[c.name] == target[c.name] not in ("DOUBLE", "FLOAT")
    )
    inputs = ", ".join(f"{_source_value(c, types[c.name], null_values)} as {_source_name(c)}" for c in contract.columns)
    values = ", ".join(
        f"{_value(c, types[c.name], target[c.name], c.name in already_typed)} as {identifier(c.name)}"
        for c in contract.columns
    )
    others = ", ".join(
        f"{'false' if c.name in already_typed else f'{identifier(c.name)} is null and {_source_name(c)} is not null'} "
        f"as {untyped(c.name)}"
        for c in contract.columns
    )
    select = (
        f"select {identifiers(c.name for c in contract.columns)}, {others}{passed} from "
        f"(select *, {values} from (select {inputs}{passed} from {source}))"
    )
    columns = (*(c.name for c in contract.columns), *kept)
    texts = any(types[c.name] == "VARCHAR" != target[c.name] for c in contract.columns)
    if not texts and not any(rule.kind == "python" for rule in contract.rules):
        return TypedRows(f"({select})", columns, already_typed, has_refusals, copied=False)
    connection.execute(f"create or replace temp table {STAGED} as {select}")
    return TypedRows(STAGED, columns, already_typed, has_refusals, copied=True)


def _source_name(column: Column) -> str:
    return identifier(f"_dp_given_{column.name}")


def with_lines(table: pa.Table) -> pa.Table:
    """Return an Arrow table with row numbers in `_dp_line`: its own where they are distinct integers, else from 1."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    numbered = table.column_names.count("_dp_line") == 1 and pa.types.is_integer(table["_dp_line"].type)
    if numbered and pc.count_distinct(table["_dp_line"], mode="only_valid").as_py() == table.num_rows:
        return table
    others = table.select([i for i, name in enumerate(table.column_names) if name != "_dp_line"])
    return others.append_column("_dp_line", pa.array(np.arange(1, table.num_rows + 1)))


def as_type_of(connection: DuckDBPyConnection, relation: str, name: str, column: Column) -> str:
    """Return SQL of the column `name` of another relation, cast to the type of `column`; null where the cast fails."""
    source_type = connection.execute(f"describe select {identifier(name)} from {relation}").fetchall()[0][1]
    target = _types_of(connection, [column])[column.name]
    return identifier(name) if source_type == target else cast_sql(column, source_type, target, identifier(name))


def _value(column: Column, source_type: str, target: str, is_typed: bool) -> str:
    return _source_name(column) if is_typed else cast_sql(column, source_type, target, _source_name(column))


def _source_value(column: Column, source_type: str, null_values: Sequence[str]) -> str:
    name = identifier(column.name)
    if source_type != "VARCHAR" or not null_values:
        return name
    return f"case when {name} not in ({', '.join(literal(value) for value in null_values)}) then {name} end"


def _types_of(connection: DuckDBPyConnection, columns: Sequence[Column]) -> Mapping[str, str]:
    nulls = ", ".join(f"null::{column.sql_type} as {identifier(column.name)}" for column in columns)
    return columns_of(connection, f"(select {nulls})")


def _refuse_other_columns(types: Mapping[str, str], contract: Contract) -> None:
    present = [name for name in types if not name.startswith("_dp_")]
    missing = [c.name for c in contract.columns if c.name not in types]
    if missing:
        raise Refused(
            "DP-C003",
            columns=preview(missing),
            hint=did_you_mean(missing[0], present),
            table=contract.table,
            contract=contract.path.name,
            version=contract.version,
        )
    unknown = [name for name in present if name not in {c.name for c in contract.columns}]
    if unknown:
        raise Refused(
            "DP-C004",
            columns=preview(unknown),
            table=contract.table,
            contract=contract.path.name,
            version=contract.version,
        )
