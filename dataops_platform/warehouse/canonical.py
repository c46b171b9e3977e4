"""Canonical texts in SQL: equal values have one text, so that columns of different types can be compared."""

from __future__ import annotations

import re

from dataops_platform.kit.sql import identifier

_AS_WRITTEN = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BOOLEAN|DATE|TIME|DECIMAL\(\d+,0\)")
_FRACTION = re.compile(r"DECIMAL\(\d+,\d+\)")
_MOMENT = re.compile(r"TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?")


def canonical(name: str, sql_type: str) -> str:
    """Return SQL of a text that is the same for all equal values of a column.

    1, 1.0 and 1.00 are equal (0.1 and the double next to it are not). -0.0 is 0. NaN is one value. A time with a zone
    is its moment in UTC. Null is its own value. A value of any other type, nested ones included, is DuckDB's text of
    it, preceded by its length so that neighbouring texts cannot run together.
    """
    column, kind = identifier(name), sql_type.upper()
    if _AS_WRITTEN.fullmatch(kind):
        text = f"{column}::varchar"
    elif kind in ("DOUBLE", "FLOAT"):
        text = f"case when isnan({column}) then 'nan' else printf('%.17g', {column}::double + 0.0) end"
    elif _FRACTION.fullmatch(kind):
        text = _without_end_zeros(column)
    elif _MOMENT.fullmatch(kind):
        text = f"case when isfinite({column}) then {_microseconds(column, kind)} else {column}::varchar end"
    else:
        text = f"strlen({column}::varchar) || ':' || {column}::varchar"
    return f"coalesce({text}, '~')"


def _microseconds(column: str, kind: str) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({column})::varchar || 'Z'"
    if kind == "TIMESTAMP_NS":
        return _without_end_zeros(f"(epoch_ns({column}) * 0.001)")
    return f"epoch_us({column}::timestamp)::varchar"


def _without_end_zeros(number: str) -> str:
    text = f"{number}::varchar"
    # rtrim is slow: only where it removes something
    return f"case when suffix({text}, '0') then rtrim(rtrim({text}, '0'), '.') else {text} end"
