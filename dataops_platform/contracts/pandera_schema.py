"""Contracts as pandera schemas, and pandera schemas as contracts.

A rule keeps its name both ways: it is the `error` of its pandera check, and so the `check` of each failure case. A
schema judges typed values; how texts become typed values is decided in `contracts.casts`.
Source: pandera 0.35, https://pandera.readthedocs.io/
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from dataops_platform.contracts.contract import Column, Contract, LogicalType, Rule, RuleKind, enforced_digest
from dataops_platform.kit.errors import UsedWrongly, preview

Backend = Literal["polars", "pandas"]

_BUILTIN: dict[RuleKind, tuple[str, str]] = {
    "minimum": ("greater_than_or_equal_to", "min_value"),
    "maximum": ("less_than_or_equal_to", "max_value"),
    "exclusive_minimum": ("greater_than", "min_value"),
    "exclusive_maximum": ("less_than", "max_value"),
    "enum": ("isin", "allowed_values"),
    "pattern": ("str_contains", "pattern"),
    "min_length": ("str_length", "min_value"),
    "max_length": ("str_length", "max_value"),
}
"""The built-in pandera check that is equal to a rule, and the name of its argument."""

_CARRIED = frozenset({"python", "measure", "query"})

_TYPES: dict[str, tuple[LogicalType, str]] = {
    r"Int64|int64(\[pyarrow\])?": ("integer", "bigint"),
    r"Int32|int32(\[pyarrow\])?": ("integer", "integer"),
    r"Int16|int16(\[pyarrow\])?": ("integer", "smallint"),
    r"Int8|int8(\[pyarrow\])?": ("integer", "tinyint"),
    r"Float64|float64|double\[pyarrow\]": ("number", "double"),
    r"Float32|float32|float\[pyarrow\]": ("number", "float"),
    r"[Dd]ecimal\w*\((?:precision=)?(\d+), (?:scale=)?(\d+)\)(\[pyarrow\])?": ("number", "decimal"),
    r"[Bb]ool(ean)?(\[pyarrow\])?": ("boolean", "boolean"),
    r"String|string.*|str|object": ("string", "varchar"),
    r"Date|date32.*|date": ("date", "date"),
    r"Time|time64.*": ("time", "time"),
    r"(?i)(datetime|timestamp).*(utc|zone='[^']+').*": ("timestamp", "timestamptz"),
    r"(?i)(datetime|timestamp).*": ("timestamp", "timestamp"),
}
"""The contract's types for a frame's type, by the name that pandera gives it."""


def to_pandera(contract: Contract, backend: Backend, references: Mapping[str, Any] | None = None) -> Any:
    """Return the `DataFrameSchema` of a contract, for polars or pandas frames.

    In pandas integers, texts, numbers and booleans have nullable types; days, times and decimals have Arrow types. A
    warning becomes a check that warns; DuckDB evaluates an expression on the frame. Rules over all rows together and
    custom checks are carried along and not judged by the schema: the first need the batch, the second are pandera's
    already. `references` has the frame of each other table that a relationship refers to.

    Raises: UsedWrongly DP-C015 when a referenced frame is missing.
    """
    pandera = importlib.import_module(f"pandera.{backend}")
    frames = _Polars() if backend == "polars" else _Pandas()
    return pandera.DataFrameSchema(
        {column.name: _to_column(pandera, frames, contract, column) for column in contract.columns},
        checks=[
            pandera.Check(
                frames.test(rule, contract, references or {}),
                error=rule.name,
                title=rule.kind,
                description=rule.description,
                raise_warning=rule.severity == "warning",
                statistics={"columns": rule.columns, "argument": rule.argument},
            )
            for rule in contract.rules
            if rule.kind in ("unique", "relationship", "expression")
        ],
        strict=True,
        name=contract.table,
        description=contract.description,
        metadata={
            "id": contract.id,
            "version": contract.version,
            "owner": contract.owner,
            "freshness": contract.freshness,
            "also": tuple(rule for rule in contract.rules if rule.kind in _CARRIED),
        },
    )


def from_pandera(schema: Any, path: Path = Path("contract.odcs.yaml")) -> Contract:
    """Return the contract that equals a `DataFrameSchema` (polars or pandas); `path` is the file it would be kept in.

    Raises: UsedWrongly DP-C015 for a column type or a check that a contract cannot express.
    """
    columns = tuple(_from_column(schema, name, column) for name, column in schema.columns.items())
    rules: list[Rule] = []
    for column in columns:
        rules.append(Rule(f"{column.name}:type", "type", (column.name,), column.logical_type))
        if column.required:
            rules.append(Rule(f"{column.name}:required", "required", (column.name,)))
        rules += [r for check in schema.columns[column.name].checks for r in _from_check(column.name, check)]
        if schema.columns[column.name].unique:
            rules.append(Rule(f"{column.name}:unique", "unique", (column.name,)))
    rules += [rule for check in schema.checks for rule in _from_wide_check(check)]
    if schema.unique:
        rules.append(Rule("primary_key", "unique", tuple(schema.unique)))
    known = schema.metadata or {}
    rules += known.get("also", ())
    return Contract(
        id=known.get("id", schema.name or path.name.partition(".")[0]),
        version=known.get("version", "1.0.0"),
        table=schema.name or path.name.partition(".")[0],
        owner=known.get("owner", ""),
        description=schema.description or "",
        columns=columns,
        rules=tuple(rules),
        digest=enforced_digest(columns, rules),
        path=path,
        freshness=known.get("freshness"),
    )


def _to_column(pandera: Any, frames: _Polars | _Pandas, contract: Contract, column: Column) -> Any:
    checks = [_to_check(pandera, r) for r in contract.rules if r.kind in _BUILTIN and r.columns == (column.name,)]
    if column.sql_type in ("double", "float", "real"):
        checks.append(pandera.Check(frames.finite, error=f"{column.name}:type", title="type"))
    return pandera.Column(
        frames.type(column.sql_type),
        checks=checks,
        nullable=not column.required,
        description=column.description,
        metadata={
            "sql_type": column.sql_type,
            "unique": column.unique,
            "primary_key": column.primary_key,
            "classification": column.classification,
            "known_at": column.known_at,
        },
    )


def _to_check(pandera: Any, rule: Rule) -> Any:
    name, argument = _BUILTIN[rule.kind]
    make = getattr(pandera.Check, name)
    value = list(rule.argument) if isinstance(rule.argument, tuple) else rule.argument
    return make(
        **{argument: value},
        error=rule.name,
        title=rule.kind,
        description=rule.description,
        raise_warning=rule.severity == "warning",
    )


def _from_column(schema: Any, name: str, column: Any) -> Column:
    text = str(column.dtype)
    known = column.metadata or {}
    found = next(((kinds, m) for form, kinds in _TYPES.items() if (m := re.fullmatch(form, text))), None)
    if found is None:
        raise UsedWrongly("DP-C015", column=name, type=text)
    (logical, sql_type), match = found
    return Column(
        name=name,
        logical_type=logical,
        sql_type=known.get("sql_type") or (f"decimal({match[1]},{match[2]})" if sql_type == "decimal" else sql_type),
        description=column.description or "",
        required=not column.nullable,
        unique=known.get("unique", bool(column.unique)),
        primary_key=known.get("primary_key", name in (schema.unique or ())),
        classification=known.get("classification", ""),
        known_at=known.get("known_at", ""),
    )


def _from_check(column: str, check: Any) -> list[Rule]:
    """Return the rules of one check of a column: two for a `str_length` or `in_range` with two bounds."""
    if check.title == "type":
        return []
    kinds = [
        (kind, check.statistics[argument])
        for kind, (name, argument) in _BUILTIN.items()
        if check.name == name and check.statistics.get(argument) is not None
    ]
    if check.name == "in_range":
        strictly = {"min": not check.statistics["include_min"], "max": not check.statistics["include_max"]}
        kinds = [
            ("exclusive_minimum" if strictly["min"] else "minimum", check.statistics["min_value"]),
            ("exclusive_maximum" if strictly["max"] else "maximum", check.statistics["max_value"]),
        ]
    if not kinds:
        raise UsedWrongly(
            "DP-C077",
            column=column,
            check=check.name,
            known=preview(sorted({name for name, _ in _BUILTIN.values()}), width=200),
        )
    return [
        Rule(
            name=check.error if check.title == kind else f"{column}:{kind}",
            kind=kind,
            columns=(column,),
            argument=tuple(value) if kind == "enum" else getattr(value, "pattern", value),
            severity="warning" if check.raise_warning else "error",
            description=check.description or "",
        )
        for kind, value in kinds
    ]


def _from_wide_check(check: Any) -> list[Rule]:
    if check.title not in ("unique", "relationship", "expression"):
        raise UsedWrongly("DP-C078", check=check.name)
    severity: Literal["error", "warning"] = "warning" if check.raise_warning else "error"
    columns, argument = check.statistics["columns"], check.statistics["argument"]
    return [Rule(check.error, check.title, columns, argument, severity, check.description or "")]


class _Polars:
    """Types and tests for polars frames.

    A test takes what pandera passes to a check and returns a column of booleans.
    """

    def type(self, sql_type: str) -> Any:
        """Return the type of a column."""
        import polars as pl

        if sql_type.startswith("decimal"):
            return pl.Decimal(*_digits(sql_type))
        return {
            "bigint": pl.Int64,
            "int": pl.Int32,
            "integer": pl.Int32,
            "smallint": pl.Int16,
            "tinyint": pl.Int8,
            "double": pl.Float64,
            "float": pl.Float32,
            "real": pl.Float32,
            "boolean": pl.Boolean,
            "date": pl.Date,
            "time": pl.Time,
            "timestamp": pl.Datetime("us"),
            "timestamptz": pl.Datetime("us", "UTC"),
        }.get(sql_type, pl.String)

    def finite(self, data: Any) -> Any:
        """Return whether each number is neither infinite nor NaN; null is finite."""
        import polars as pl

        return data.lazyframe.select(pl.col(data.key).is_finite().fill_null(True))

    def test(self, rule: Rule, contract: Contract, references: Mapping[str, Any]) -> Any:
        """Return the test of a rule that looks at more than one value."""
        import polars as pl

        names = list(rule.columns)
        if rule.kind == "unique":
            any_null = pl.any_horizontal(pl.col(names).is_null())
            return lambda data: data.lazyframe.select(any_null | ~pl.struct(names).is_duplicated())
        if rule.kind == "expression":
            return lambda data: pl.LazyFrame({"holds": _holds(rule, data.lazyframe.collect().to_arrow())})
        table, column = _reference(rule, contract, references)
        referring = pl.col(names[0])
        if table == contract.table:
            return lambda data: data.lazyframe.select(referring.is_null() | referring.is_in(pl.col(column).implode()))
        known = pl.DataFrame(references[table])[column].implode()
        return lambda data: data.lazyframe.select(referring.is_null() | referring.is_in(known))


class _Pandas:
    """Types and tests for pandas frames."""

    def type(self, sql_type: str) -> Any:
        """Return the type of a column."""
        import pandas as pd
        import pyarrow as pa

        if sql_type.startswith("decimal"):
            return pd.ArrowDtype(pa.decimal128(*_digits(sql_type)))
        return {
            "bigint": "Int64",
            "int": "Int32",
            "integer": "Int32",
            "smallint": "Int16",
            "tinyint": "Int8",
            "double": "Float64",
            "float": "Float32",
            "real": "Float32",
            "boolean": "boolean",
            "date": pd.ArrowDtype(pa.date32()),
            "time": pd.ArrowDtype(pa.time64("us")),
            "timestamp": "datetime64[us]",
            "timestamptz": "datetime64[us, UTC]",
        }.get(sql_type, "string")

    def finite(self, values: Any) -> Any:
        """Return whether each number is neither infinite nor NaN; null is finite."""
        return values.abs().lt(float("inf")).fillna(True)

    def test(self, rule: Rule, contract: Contract, references: Mapping[str, Any]) -> Any:
        """Return the test of a rule that looks at more than one value."""
        names = list(rule.columns)
        if rule.kind == "unique":
            return lambda frame: frame[names].isna().any(axis=1) | ~frame.duplicated(names, keep=False)
        if rule.kind == "expression":
            import pandas as pd
            import pyarrow as pa

            return lambda frame: pd.Series(
                _holds(rule, pa.Table.from_pandas(frame, preserve_index=False)), index=frame.index
            )
        table, column = _reference(rule, contract, references)
        if table == contract.table:
            return lambda frame: frame[names[0]].isna() | frame[names[0]].isin(frame[column])
        return lambda frame: frame[names[0]].isna() | frame[names[0]].isin(references[table][column])


def _digits(decimal: str) -> tuple[int, int]:
    precision, scale = decimal.removeprefix("decimal(").rstrip(")").split(",")
    return int(precision), int(scale)


def _reference(rule: Rule, contract: Contract, references: Mapping[str, Any]) -> tuple[str, str]:
    table, _, column = str(rule.argument).partition(".")
    if table != contract.table and table not in references:
        raise UsedWrongly("DP-C079", rule=rule.name, table=table)
    return table, column


def _holds(rule: Rule, rows: Any) -> list[bool]:
    """Return whether an expression is true or null for each row, in order."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = true")
        connection.register("rows", rows)
        found = connection.execute(f"select coalesce(({rule.argument}\n), true) from rows").fetchall()
    return [holds for (holds,) in found]
