"""The values that rules about one column allow."""

from __future__ import annotations

import datetime as dt
import math
import re
import string
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from dataops_platform.contracts.contract import Column, Rule
from dataops_platform.testing.pattern import texts_matching

SPAN = 100_000
"""How far values reach from a bound without an opposite bound."""

EDGES = 0.1
"""How often the first or the last value is taken, where rules are most likely to break."""

DAYS = 10_000
FIRST = dt.datetime(2024, 1, 1)
"""The number of days, and the first of them, from which dates are taken."""

_WHOLE = {"tinyint": 8, "smallint": 16, "int": 32, "integer": 32, "bigint": 64}
_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class Values:
    """The values of a column: all of them in `pool` where they can be counted; else `draw` makes one as best it can."""

    pool: Sequence[Any] | None
    draw: Callable[[Random], Any]


def values_of(column: Column, rules: Sequence[Rule], referred: Sequence[Any] | None = None) -> Values:
    """Return the values that rules about the column alone allow; `referred` are those that a relationship allows."""
    column_rules = [rule for rule in rules if rule.columns == (column.name,)]
    listed = next((rule.argument for rule in column_rules if rule.kind == "enum"), None)
    if listed is not None or referred is not None:
        enum = listed if isinstance(listed, tuple) else None
        among = [value for value in (enum if referred is None else referred) or () if enum is None or value in enum]
        return _pool([value for value in among if all(holds(rule, value) for rule in column_rules)])
    bounds = {rule.kind: rule.argument for rule in column_rules}
    if column.logical_type == "boolean":
        return _pool((False, True))
    if column.logical_type == "integer":
        return _pool(_integers(bounds, _WHOLE[column.sql_type]))
    if column.logical_type == "number":
        return _decimals(bounds, column.sql_type) if "(" in column.sql_type else _floats(bounds, column.sql_type)
    if column.logical_type == "string":
        return _texts(bounds, column_rules)
    return _pool(_TIMES[column.sql_type])


def holds(rule: Rule, value: Any) -> bool:
    """Return whether a value holds a rule about it alone, as far as Python can tell; the engine decides."""
    test = _HOLDS.get(rule.kind)
    try:
        return test is None or test(value, rule.argument)
    except (TypeError, re.error):
        return False


_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "exclusive_minimum": lambda value, bound: value > bound,
    "exclusive_maximum": lambda value, bound: value < bound,
    "min_length": lambda value, bound: len(value) >= bound,
    "max_length": lambda value, bound: len(value) <= bound,
    "pattern": lambda value, pattern: re.search(pattern, value) is not None,
}


class _Counted(Sequence[Any]):
    """A sequence of values made on demand from a range of numbers."""

    def __init__(self, numbers: range, value: Callable[[int], Any]) -> None:
        self.numbers, self.value = numbers, value

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: Any) -> Any:
        return self.value(self.numbers[index])


_SECONDS = range(DAYS * 86_400)
_TIMES: dict[str, _Counted] = {
    "date": _Counted(range(DAYS), lambda n: FIRST.date() + dt.timedelta(n)),
    "timestamp": _Counted(_SECONDS, lambda n: FIRST + dt.timedelta(seconds=n)),
    "timestamptz": _Counted(_SECONDS, lambda n: FIRST.replace(tzinfo=dt.UTC) + dt.timedelta(seconds=n)),
    "time": _Counted(range(86_400), lambda n: (FIRST + dt.timedelta(seconds=n)).time()),
}


def _pool(values: Sequence[Any]) -> Values:
    def draw(chance: Random) -> Any:
        if not values:
            return None
        return values[chance.choice((0, -1))] if chance.random() < EDGES else chance.choice(values)

    return Values(values, draw)


def _integers(bounds: dict[Any, Any], bits: int, scale: int = 0) -> range:
    """Return the whole numbers between the bounds, each bound times ten to the power of `scale`."""
    lows = [math.ceil(_scaled(bounds["minimum"], scale))] if "minimum" in bounds else []
    lows += [math.floor(_scaled(bounds["exclusive_minimum"], scale)) + 1] if "exclusive_minimum" in bounds else []
    highs = [math.floor(_scaled(bounds["maximum"], scale))] if "maximum" in bounds else []
    highs += [math.ceil(_scaled(bounds["exclusive_maximum"], scale)) - 1] if "exclusive_maximum" in bounds else []
    smallest, largest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    span = SPAN * 10**scale
    low = max(lows) if lows else min(highs) - span if highs and min(highs) < 0 else 0
    high = min(highs) if highs else low + span
    low, high = max(low, smallest), min(high, largest)
    return range(low, min(high, low + 2**62) + 1)


def _scaled(bound: float, scale: int) -> Decimal:
    return Decimal(repr(bound)).scaleb(scale)


def _decimals(bounds: dict[Any, Any], sql_type: str) -> Values:
    precision, scale = (int(part) for part in sql_type.removeprefix("decimal(").rstrip(")").split(","))
    found = _integers(bounds, 128, scale)
    largest = 10**precision - 1
    numbers = range(max(found.start, -largest), min(found.stop, largest + 1))
    return _pool(_Counted(numbers, lambda n: Decimal(n).scaleb(-scale)))


def _floats(bounds: dict[Any, Any], sql_type: str) -> Values:
    largest = 1e308 if sql_type == "double" else 3e38
    lows = [float(bounds[kind]) for kind in ("minimum", "exclusive_minimum") if kind in bounds]
    highs = [float(bounds[kind]) for kind in ("maximum", "exclusive_maximum") if kind in bounds]
    low = max(lows) if lows else min(highs) - SPAN if highs and min(highs) <= 0 else 0.0
    high = min(highs) if highs else low + SPAN
    low, high = max(low, -largest), min(high, largest)
    column_rules = [Rule(kind, kind, (), bound) for kind, bound in bounds.items() if kind in _HOLDS]

    def draw(chance: Random) -> float:
        share = chance.choice((0.0, 1.0)) if chance.random() < EDGES else chance.random()
        exact = low * (1 - share) + high * share
        near = (round(exact, 2), exact, (low + high) / 2, low, math.nextafter(low, high))
        stored = [value if sql_type == "double" else _single(value) for value in near]
        return next((value for value in stored if all(holds(rule, value) for rule in column_rules)), exact)

    return Values(None, draw)


def _single(value: float) -> float:
    """Return the nearest number of 32 bits."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _texts(bounds: dict[Any, Any], column_rules: Sequence[Rule]) -> Values:
    least, most = bounds.get("min_length", 0), bounds.get("max_length", math.inf)
    matching = texts_matching(str(bounds["pattern"])) if "pattern" in bounds else None

    def any_text(chance: Random, reach: int) -> str:
        length = chance.randint(min(max(least, 1), max(most, 0)), int(min(most, max(least, 1) + reach + 5)))
        return "".join(chance.choice(_LETTERS) for _ in range(length))

    def draw(chance: Random) -> str:
        text = ""
        for reach in (2, 2, 4, 4, 8, 16, 32, 64, 0, 0, 1, 1):
            text = (matching or any_text)(chance, reach)
            if all(holds(rule, text) for rule in column_rules):
                break
        return text

    return Values(() if most < max(least, 0) else None, draw)
