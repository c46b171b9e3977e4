"""What is wrong with a ledger, and at which event."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """Something that nobody who writes by the rules can have left. `sequence` 0: of no event."""

    environment: str
    sequence: int
    what: str

    def __str__(self) -> str:
        at = f"event {self.sequence} of {self.environment}" if self.sequence else self.environment or "the lake"
        return f"{at}: {self.what}"
