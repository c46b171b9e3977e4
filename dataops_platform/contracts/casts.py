"""Casts to contracted types, in SQL: null where a cast would have to round or to guess."""

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
"""The form of a text for each type. DuckDB alone also reads `1_000`, ` 1`, `1e3`, `2013-01-01abc` and `05:00+02`."""


def cast_sql(column: Column, source_type: str, target_type: str, value: str) -> str:
    """Return SQL that casts `value` from `source_type` to the type of `column`; null for a value of another type.

    `target_type` is DuckDB's name of the column's type. A text must have the type's form; any other value must survive
    the cast back unchanged. A floating number becomes the nearest one, and must be finite. A text without a time zone
    is UTC for a type without zones, and null for one with zones.
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
