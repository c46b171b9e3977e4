"""Actors: who does something, and how the name is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ACTOR_TAG = "dataops/actor"
"""The tag of a Dagster run that names its actor."""

ActorSource = Literal["process", "variable", "tag"]


@dataclass(frozen=True)
class Actor:
    """Who acts: the user of this `process`, or the name in the `variable` DATAOPS_ACTOR or in a run's `tag`."""

    name: str
    source: ActorSource = "process"

    @property
    def is_declared(self) -> bool:
        """Whether somebody only claims to be the actor: whoever sets the variable or the tag chooses the name."""
        return self.source in ("variable", "tag")

    def __str__(self) -> str:
        return f"{self.name} (declared)" if self.is_declared else self.name
