"""Values of every type, twice: as Arrow takes them, and as the page of the digest knows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from tests.warehouse.plain_digest import Of

MOST = 2**63 - 1


@dataclass(frozen=True)
class Kind:
    """A type of Arrow, values to put into it, and what each of them is."""

    arrow: pa.DataType
    values: st.SearchStrategy[Any]
    means: Callable[[Any], Any] = lambda value: value


def times(arrow: pa.DataType, kind: str, per_microsecond: Fraction, most: int = MOST) -> Kind:
    endless = {MOST: "infinity", -MOST: "-infinity"}
    ticks = st.integers(-most + 1, most - 1) | st.integers(-9, 9) | st.sampled_from(list(endless))
    return Kind(arrow, ticks, lambda value: Of(kind, endless.get(value, value / per_microsecond)))


INTEGERS = {
    pa.int8(): (-(2**7), 2**7 - 1),
    pa.int16(): (-(2**15), 2**15 - 1),
    pa.int32(): (-(2**31), 2**31 - 1),
    pa.int64(): (-(2**63), 2**63 - 1),
    pa.uint8(): (0, 2**8 - 1),
    pa.uint64(): (0, 2**64 - 1),
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
NUMBERS = st.none() | st.integers(-(2**31), 2**31 - 1)
KINDS = {
    **{str(arrow): Kind(arrow, st.integers(*bounds)) for arrow, bounds in INTEGERS.items()},
    **{str(arrow): Kind(arrow, st.floats(width=width)) for arrow, width in ((pa.float32(), 32), (pa.float64(), 64))},
    **{
        f"decimal {digits} {scale}": Kind(
            pa.decimal128(digits, scale),
            (st.integers(-(10**digits) + 1, 10**digits - 1) | st.integers(-20, 20)).map(
                lambda unscaled, scale=scale: Decimal(unscaled).scaleb(-scale)
            ),
        )
        for digits, scale in ((4, 2), (18, 4), (18, 18), (28, 0), (28, 10))
    },
    **{f"text {arrow}": Kind(arrow, TEXTS) for arrow in (pa.string(), pa.large_string(), pa.string_view())},
    "dictionary": Kind(pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b", ""])),
    "blob": Kind(pa.binary(), st.binary(max_size=300)),
    "boolean": Kind(pa.bool_(), st.booleans()),
    "date": Kind(pa.date32(), st.integers(-(2**31) + 2, 2**31 - 1), lambda days: Of("date", days)),
    "time": Kind(pa.time64("us"), st.integers(0, 86_400_000_000 - 1), lambda ticks: Of("time", ticks)),
    "timestamp s": times(pa.timestamp("s"), "timestamp", Fraction(1, 10**6), 2**43),
    "timestamp ms": times(pa.timestamp("ms"), "timestamp", Fraction(1, 10**3), 2**53),
    "timestamp us": times(pa.timestamp("us"), "timestamp", Fraction(1)),
    "timestamp ns": times(pa.timestamp("ns"), "timestamp", Fraction(10**3)),
    "moment": times(pa.timestamp("us", "Asia/Kolkata"), "moment", Fraction(1)),
    "interval": Kind(
        pa.month_day_nano_interval(),
        st.tuples(*[st.integers(-1000, 1000)] * 2, st.integers(-(2**40), 2**40).map(lambda us: us * 1000)),
        lambda parts: Of("interval", parts),
    ),
    "list": Kind(pa.list_(pa.int32()), st.lists(NUMBERS, max_size=4)),
    "list of lists": Kind(
        pa.list_(pa.list_(pa.string())), st.lists(st.none() | st.lists(st.none() | TEXTS, max_size=3))
    ),
    "struct": Kind(
        pa.struct({"b": pa.string(), "a": pa.list_(pa.int32())}),
        st.fixed_dictionaries({"b": st.none() | TEXTS, "a": st.none() | st.lists(NUMBERS, max_size=3)}),
    ),
    "map": Kind(
        pa.map_(pa.string(), pa.int32()),
        st.dictionaries(st.text(max_size=3), NUMBERS, max_size=3).map(lambda found: list(found.items())),
        lambda pairs: Of("map", pairs),
    ),
}


@dataclass(frozen=True)
class Table:
    """Rows of values as Arrow takes them; columns by the names of their kinds."""

    columns: Mapping[str, str]
    values: Sequence[Mapping[str, Any]]

    @property
    def arrow(self) -> pa.Table:
        kinds = {name: KINDS[kind].arrow for name, kind in self.columns.items()}
        return pa.table({n: pa.array([row[n] for row in self.values], kind) for n, kind in kinds.items()})

    @property
    def rows(self) -> list[dict[str, Any]]:
        means = {name: KINDS[kind].means for name, kind in self.columns.items()}
        return [{n: None if v is None else means[n](v) for n, v in row.items()} for row in self.values]


def tables_of(columns: Mapping[str, str], most_rows: int = 6, least_rows: int = 0) -> st.SearchStrategy[Table]:
    row = st.fixed_dictionaries({name: st.none() | KINDS[kind].values for name, kind in columns.items()})
    return st.lists(row, min_size=least_rows, max_size=most_rows).map(lambda rows: Table(columns, rows))


NAMES = st.sampled_from(["a", "b", "ab", "é", "a b"])  # DuckDB takes A for a
COLUMNS = st.dictionaries(NAMES, st.sampled_from(list(KINDS)), min_size=1, max_size=4)
TABLES = COLUMNS.flatmap(tables_of)
