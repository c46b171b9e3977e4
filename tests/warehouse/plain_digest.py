"""The digest as `docs/concepts/row-digest.md` says it, in plain Python: slow, and written from the page alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite, isnan
from typing import Any

import xxhash

WORD = 2**64


def key(text: str, lane: int = 0) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[8 * lane : 8 * lane + 8], "little")


def weight(text: str, lane: int = 0) -> int:
    return key(text, lane) | 1


def mix(x: int) -> int:
    x %= WORD
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % WORD
    return x ^ (x >> 31)


def number(kind: str, x: Fraction) -> int:
    q, e = x, 0
    while q and q.numerator % 2 == 0:
        q, e = q / 2, e + 1
    while q.denominator % 2 == 0:
        q, e = q * 2, e - 1
    residue = q.numerator * pow(q.denominator, -1, 2**128) % 2**128
    low, high = residue % WORD, residue >> 64
    return mix(key(kind) + low + high * weight("high") + e * weight("exponent"))


@dataclass(frozen=True)
class Of:
    """A value whose Python type does not say what it is: a number of some kind, a map, an interval."""

    kind: str
    content: Any


def value_hash(value: Any) -> int:
    match value:
        case None:
            return mix(key("null"))
        case bool():
            return number("boolean", Fraction(value))
        case float() if isnan(value):
            return mix(key("number") + key("nan"))
        case float() if not isfinite(value):
            return mix(key("number") + key("infinity" if value > 0 else "-infinity"))
        case int() | float() | Decimal():
            return number("number", Fraction(value))
        case str():
            return xxhash.xxh3_64_intdigest(value.encode()) + key("text")
        case bytes():
            return xxhash.xxh3_64_intdigest(value) + key("blob")
        case list():
            return sequence("list", map(value_hash, value))
        case dict():
            return record("struct", value)
        case Of("interval", content):
            return record("interval", dict(zip(("months", "days", "nanoseconds"), content, strict=True)))
        case Of("map", content):
            return sequence("map", (record("struct", {"key": k, "value": v}) for k, v in content))
        case Of(kind, "infinity" | "-infinity" as content):
            return mix(key(kind) + key(content))
        case Of(kind, content):
            return number(kind, Fraction(content))
    raise TypeError(value)


def record(kind: str, fields: Mapping[str, Any], lane: int = 0) -> int:
    return mix(key(kind) + sum(value_hash(value) * weight(name, lane) for name, value in fields.items()))


def sequence(kind: str, items: Iterable[int]) -> int:
    return mix(key(kind) + sum(mix(item + i * weight("place")) for i, item in enumerate(items)))


def table_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    lanes = [sum(record("row", row, lane) for row in rows) % WORD for lane in (0, 1)]
    return f"dp1:{len(rows)}:{lanes[1]:016x}{lanes[0]:016x}"
