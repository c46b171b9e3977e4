"""What an environment shows."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event, Move


@dataclass(frozen=True)
class State:
    """What an environment shows: a release (none in one that is not released) and the publication made under it.

    `event` is the last event of the ledger, `moved` the last that moved the environment (each None before the first),
    `pointer` the sequence of the last that pointed it at a release. `code` is the digest of the only code that may run
    there; `held`: nothing is published until somebody resumes. `sequence` 0: nothing ever happened.
    """

    environment: str
    sequence: int = 0
    hash: str = ""
    publication: str = ""
    cut: Cut = Cut(())
    event: Event | None = None
    moved: Move | None = None
    release: str = ""
    code: str = ""
    held: bool = False
    pointer: int = 0


def candidate_area(environment: str) -> str:
    """The build area of what is made with a candidate: beside that of its environment, which no other run reads."""
    return f"{environment}__candidate"
