"""A fault of a ledger."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """A violation that the platform's own writes cannot produce. `sequence` is its event, or 0."""

    environment: str
    sequence: int
    what: str

    def __str__(self) -> str:
        at = f"event {self.sequence} of {self.environment}" if self.sequence else self.environment or "the lake"
        return f"{at}: {self.what}"
