"""Rows as values of their contracted types: a relation to judge, copied only where a value is costly to read twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.contracts.casts import typed
from dataops_platform.contracts.contract import Column, Contract
from dataops_platform.contracts.predicates import untyped
from dataops_platform.kit.errors import Refused, did_you_mean, some
from dataops_platform.kit.sql import identifier, identifiers, literal

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

STAGED = "_dp_staged"
REFUSED = "_dp_refused"
"""A column a user's function may add: a text says why it refuses the row, null lets it pass."""


@dataclass(frozen=True)
class TypedRows:
    """A relation, as SQL, with the contracted columns as their types, `_dp_*` columns as they came, and for each
    contracted column one that says where it was given something else (`predicates.untyped`).

    `columns` are those to keep: the contracted ones, and the `_dp_*` ones that say where a row comes from; `plain` are
    those that were given as what they are to be. `copied` relations are temporary tables and have row ids.
    """

    sql: str
    columns: tuple[str, ...]
    plain: frozenset[str]
    has_refusals: bool
    copied: bool

    @property
    def position(self) -> tuple[str, ...]:
        """The columns that tell rows apart, if the rows have them."""
        known = ("_dp_file", "_dp_line")
        return known if set(known) <= set(self.columns) else ("_dp_line",) if "_dp_line" in self.columns else ()


def type_rows(
    connection: DuckDBPyConnection, source: str, contract: Contract, null_values: Sequence[str] = ()
) -> TypedRows:
    """The rows of the relation `source` with their contracted types; a value that is none of its type becomes null.

    Texts to be read as something else, and rows that a check in Python looks at, are copied into the temporary table
    `STAGED`; other rows stay where they are. Raises: Refused DP-C003 when a contracted column is absent, DP-C004 when
    there is one the contract does not know.
    """
    types = {name: kind for name, kind, *_ in connection.execute(f"describe select * from {source}").fetchall()}
    _refuse_other_columns(types, contract)
    wanted = _types_of(connection, contract.columns)
    kept = [name for name in types if name.startswith("_dp_") and name != REFUSED]
    has_refusals = REFUSED in types
    passed = identifiers([*kept, *([REFUSED] if has_refusals else [])])
    passed = passed and f", {passed}"
    plain = frozenset(c.name for c in contract.columns if types[c.name] == wanted[c.name] not in ("DOUBLE", "FLOAT"))
    given = ", ".join(f"{_given(c, types[c.name], null_values)} as {_as_given(c)}" for c in contract.columns)
    values = ", ".join(
        f"{_value(c, types[c.name], wanted[c.name], c.name in plain)} as {identifier(c.name)}" for c in contract.columns
    )
    others = ", ".join(
        f"{'false' if c.name in plain else f'{identifier(c.name)} is null and {_as_given(c)} is not null'} "
        f"as {untyped(c.name)}"
        for c in contract.columns
    )
    select = (
        f"select {identifiers(c.name for c in contract.columns)}, {others}{passed} from "
        f"(select *, {values} from (select {given}{passed} from {source}))"
    )
    columns = (*(c.name for c in contract.columns), *kept)
    texts = any(types[c.name] == "VARCHAR" != wanted[c.name] for c in contract.columns)
    if not texts and not any(rule.kind == "python" for rule in contract.rules):
        return TypedRows(f"({select})", columns, plain, has_refusals, copied=False)
    connection.execute(f"create or replace temp table {STAGED} as {select}")
    return TypedRows(STAGED, columns, plain, has_refusals, copied=True)


def _as_given(column: Column) -> str:
    return identifier(f"_dp_given_{column.name}")


def with_lines(table: pa.Table) -> pa.Table:
    """An Arrow table that numbers its rows in `_dp_line`: as it does itself where these are numbers, else from 1."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    numbered = table.column_names.count("_dp_line") == 1 and pa.types.is_integer(table["_dp_line"].type)
    if numbered and pc.count_distinct(table["_dp_line"], mode="only_valid").as_py() == table.num_rows:
        return table
    others = table.select([i for i, name in enumerate(table.column_names) if name != "_dp_line"])
    return others.append_column("_dp_line", pa.array(np.arange(1, table.num_rows + 1)))


def as_type_of(connection: DuckDBPyConnection, relation: str, name: str, column: Column) -> str:
    """SQL of the column `name` of another relation as the type of `column`, null where it is none of that type."""
    given = connection.execute(f"describe select {identifier(name)} from {relation}").fetchall()[0][1]
    wanted = _types_of(connection, [column])[column.name]
    return identifier(name) if given == wanted else typed(column, given, wanted, identifier(name))


def _value(column: Column, given: str, wanted: str, is_plain: bool) -> str:
    return _as_given(column) if is_plain else typed(column, given, wanted, _as_given(column))


def _given(column: Column, given: str, null_values: Sequence[str]) -> str:
    name = identifier(column.name)
    if given != "VARCHAR" or not null_values:
        return name
    return f"case when {name} not in ({', '.join(literal(value) for value in null_values)}) then {name} end"


def _types_of(connection: DuckDBPyConnection, columns: Sequence[Column]) -> Mapping[str, str]:
    nulls = ", ".join(f"null::{column.sql_type} as {identifier(column.name)}" for column in columns)
    return {name: kind for name, kind, *_ in connection.execute(f"describe select {nulls}").fetchall()}


def _refuse_other_columns(types: Mapping[str, str], contract: Contract) -> None:
    present = [name for name in types if not name.startswith("_dp_")]
    missing = [c.name for c in contract.columns if c.name not in types]
    if missing:
        raise Refused(
            "DP-C003",
            columns=some(missing),
            hint=did_you_mean(missing[0], present),
            table=contract.table,
            contract=contract.path.name,
            version=contract.version,
        )
    unknown = [name for name in present if name not in {c.name for c in contract.columns}]
    if unknown:
        raise Refused(
            "DP-C004",
            columns=some(unknown),
            table=contract.table,
            contract=contract.path.name,
            version=contract.version,
        )
