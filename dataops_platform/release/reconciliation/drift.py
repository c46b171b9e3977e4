"""Drift: something that no longer equals the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Drift:
    """A deviation from the ledger, and the function that corrects it.

    `message` is a text that states what holds after the correction. `by_hand` is true for a change that somebody made
    outside the platform.
    """

    message: str
    put_right: Callable[[], object]
    by_hand: bool = False
