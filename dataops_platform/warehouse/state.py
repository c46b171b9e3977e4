"""The state of an environment: what it shows."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import LostRace
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event, Move


@dataclass(frozen=True)
class State:
    """What an environment shows: a release (empty where none was promoted), and the publication made under it.

    `event` is the last event of the ledger, `moved` the last that set the cut; both are None before the first.
    `pointer` is the sequence of the last event that pointed the environment at a release. `code` is the digest of the
    only code that may run there. While `held`, nothing is published until somebody resumes. `sequence` is 0 while the
    ledger is empty.
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


def refuse_moved(expected: State, now: State) -> None:
    """Refuse to go on where an environment no longer shows what was expected. Raises: LostRace DP-W004."""
    if now.hash != expected.hash:
        raise LostRace("DP-W004", environment=now.environment, publication=short(now.publication) or "none")


def candidate_area(environment: str) -> str:
    """Return the build area of candidates for a release, beside the environment's own. No other run reads it."""
    return f"{environment}__candidate"
