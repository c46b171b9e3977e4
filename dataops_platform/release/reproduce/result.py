"""The result of a reproduction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dataops_platform.manifests.manifest import Kind

MatchLevel = Literal["bytes", "content", "predictions", "tolerance", "different"]
LEVELS: tuple[MatchLevel, ...] = ("bytes", "content", "predictions", "tolerance", "different")
"""From equal to different. Equal are: the files byte by byte; the digest of the rows or the model; each prediction;
numbers within a tolerance, and all other values."""


@dataclass(frozen=True)
class Comparison:
    """A reproduced table or model, how closely it matches the original, and why it does not match more closely."""

    name: str
    kind: Kind
    level: MatchLevel
    message: str = ""


@dataclass(frozen=True)
class Reproduction:
    """The result of reproducing a release or a run.

    `of` names what was reproduced, `environment` where, and `code` the code that ran. `inputs` maps each input to
    whether its version was reused or read again. `runs` are the ids of the Dagster runs.
    """

    of: str
    environment: str
    code: str
    inputs: Mapping[str, str]
    parts: tuple[Comparison, ...]
    runs: tuple[str, ...]

    def below(self, level: MatchLevel) -> list[Comparison]:
        """Return the parts that match less closely than `level`."""
        return [part for part in self.parts if LEVELS.index(part.level) > LEVELS.index(level)]

    def to_plain(self) -> dict[str, Any]:
        """Return the reproduction as a JSON-like record."""
        return {
            **self.__dict__,
            "inputs": dict(self.inputs),
            "parts": [part.__dict__ for part in self.parts],
            "runs": list(self.runs),
        }
