"""Something that does not follow the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Unequal:
    """What was found, in words, and how it is put right. `by_hand`: the platform never made it so, somebody did."""

    said: str
    put_right: Callable[[], object]
    by_hand: bool = False
