"""Contracts of any kind of rule that can be drawn."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

TYPES = {
    "integer": ["bigint", "int", "smallint", "tinyint"],
    "number": ["double", "real", "decimal(9,2)", "decimal(38,10)"],
    "string": ["varchar"],
    "boolean": ["boolean"],
    "date": ["date"],
    "timestamp": ["timestamp", "timestamptz"],
    "time": ["time"],
}
PATTERNS = ["^[a-z]+$", "^c[0-9]{2,9}$", "x", "^(on|off)?$"]


@st.composite
def columns(draw: Any, name: str) -> dict[str, Any]:
    """A column whose rules leave it values, and enough for a key of numbers."""
    logical = draw(st.sampled_from(sorted(TYPES)))
    found = {"name": name, "logicalType": logical, "physicalType": draw(st.sampled_from(TYPES[logical]))}
    found |= {key: True for key in ("required",) if draw(st.booleans())}
    options: dict[str, Any] = {}
    if logical in ("integer", "number"):
        low = draw(st.integers(-100, 50))
        options |= {draw(st.sampled_from(["minimum", "exclusiveMinimum"])): low} if draw(st.booleans()) else {}
        options |= {draw(st.sampled_from(["maximum", "exclusiveMaximum"])): low + 40} if draw(st.booleans()) else {}
    if logical == "string":
        kind = draw(st.sampled_from(["plain", "pattern", "enum"]))
        if kind == "plain":
            least = draw(st.integers(1, 4))
            options |= {"minLength": least, "maxLength": least + draw(st.integers(2, 5))}
        elif kind == "pattern":
            options |= {"pattern": draw(st.sampled_from(PATTERNS))}
        else:
            found |= {"enum": [{"value": "on"}, {"value": "off"}]}
    if draw(st.booleans()) and logical in ("integer", "number", "date", "timestamp", "time"):
        found |= {"unique": True}
    return {**found, "logicalTypeOptions": options} if options else found


@st.composite
def contracts(draw: Any) -> str:
    """The text of a contract of one to four columns that some rows can hold."""
    found = [draw(columns(f"column_{index}")) for index in range(draw(st.integers(1, 4)))]
    if draw(st.booleans()):
        found.append({"name": "id", "logicalType": "integer", "primaryKey": True})
    quality = [{"type": "library", "metric": "rowCount", "mustBeGreaterThan": 2}] * draw(st.booleans())
    head = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "c", "version": "1.0.0", "team": {"name": "t"}}
    return json.dumps(head | {"schema": [{"name": "rows", "properties": found, "quality": quality}]})
