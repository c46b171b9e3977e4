"""A value as its contracted type, in SQL: null where that would mean to round it or to guess what was meant."""

from __future__ import annotations

from dataops_platform.contracts.contract import Column

_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_CLOCK = r"([01]?\d|2[0-3]):\d{2}(:\d{2}(\.\d{1,6}0*)?)?"
_FORMS = {
    "integer": r"[+-]?\d+",
    "number": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?",
    "date": _DAY,
    "timestamp": rf"{_DAY}([ T]{_CLOCK}(Z|[+-]00(:?00)?)?)?",
    "timestamptz": rf"{_DAY}[ T]{_CLOCK}(Z|[+-]\d{{2}}(:?\d{{2}})?)",
    "time": _CLOCK,
}
"""What a text must look like. DuckDB alone reads `1_000`, ` 1`, `1e3`, `2013-01-01abc` and `05:00+02` as values."""


def cast_sql(column: Column, source_type: str, target_type: str, value: str) -> str:
    """SQL of `value`, of type `given_type`, as the type of `column`, which DuckDB calls `wanted_type`; null when it is
    none of that type.

    A text must look like the type; any other value must come back unchanged when it is cast back. A floating number
    is the nearest one, and finite. Texts without time zone are UTC where a type has none, and no moment where it has.
    """
    cast = value if source_type == target_type else f"try_cast({value} as {column.sql_type})"
    conditions = []
    form = _form(column)
    if source_type == "VARCHAR" and form:
        conditions.append(f"regexp_full_match({value}, '{form}')")
    if _is_floating(column):
        conditions.append(f"isfinite({cast})")
    elif source_type == "TIME_NS":
        conditions.append(f"{cast}::varchar = {value}::varchar")  # DuckDB has no cast back; polars gives such times
    elif source_type != "VARCHAR" and column.logical_type != "string":
        conditions.append(f"try_cast({cast} as {source_type}) = {value}")
    return f"case when {' and '.join(conditions)} then {cast} end" if conditions else cast


def _form(column: Column) -> str:
    if column.sql_type.startswith("decimal"):
        scale = column.sql_type.rstrip(")").partition(",")[2]
        return rf"[+-]?\d*(\.\d{{0,{scale}}}0*)?"
    return _FORMS.get(column.sql_type) or _FORMS.get(column.logical_type, "")


def _is_floating(column: Column) -> bool:
    return column.logical_type == "number" and not column.sql_type.startswith("decimal")
