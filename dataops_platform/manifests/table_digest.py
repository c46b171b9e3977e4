"""The content of a table as one number that does not depend on the order of its rows."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"dp1:([0-9]+):([0-9a-f]{32})")
_HALF = 2**64


@dataclass(frozen=True)
class TableDigest:
    """Row count, and the sums modulo 2^64 of the two hashes of every row.

    Digests of disjoint parts add up to the digest of the whole, `march + april`, and a part can be taken out,
    `year - march`. Both are exact. A digest finds errors; it is no defence against someone who constructs rows.
    `docs/concepts/row-digest.md` specifies it.
    """

    rows: int = 0
    low: int = 0
    high: int = 0

    def __add__(self, other: TableDigest) -> TableDigest:
        return TableDigest(self.rows + other.rows, (self.low + other.low) % _HALF, (self.high + other.high) % _HALF)

    def __sub__(self, other: TableDigest) -> TableDigest:
        """Return the digest without the rows of `other`. Raises: ValueError when `other` has more rows."""
        if other.rows > self.rows:
            raise ValueError(f"{other.rows} rows cannot be taken from {self.rows}")
        return TableDigest(self.rows - other.rows, (self.low - other.low) % _HALF, (self.high - other.high) % _HALF)

    def __str__(self) -> str:
        return f"dp1:{self.rows}:{self.high:016x}{self.low:016x}"

    @classmethod
    def parse(cls, text: str) -> TableDigest:
        """Return the digest written as `dp1:<rows>:<32 hex digits>`. Raises: ValueError."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"not a table digest: {text[:60]!r}")
        value = int(match[2], 16)
        return cls(int(match[1]), value % _HALF, value // _HALF)
