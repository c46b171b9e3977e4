"""How equal something came out when it was made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dataops_platform.manifests.manifest import Kind

Level = Literal["bytes", "content", "predictions", "tolerance", "different"]
LEVELS: tuple[Level, ...] = ("bytes", "content", "predictions", "tolerance", "different")
"""From equal to different: the files byte by byte; the digest of rows or model; what a model says of each row; numbers
within a tolerance, all else equal."""


@dataclass(frozen=True)
class Remade:
    """One table or model that was made again, the level it reached, and in words what keeps it from a better one."""

    name: str
    kind: Kind
    level: Level
    said: str = ""


@dataclass(frozen=True)
class Reproduction:
    """A release or run made again: in which environment, by which code, and how equal each part came out."""

    of: str
    environment: str
    code: str
    inputs: Mapping[str, str]
    parts: tuple[Remade, ...]
    runs: tuple[str, ...]

    def below(self, level: Level) -> list[Remade]:
        """The parts that came out less equal than asked for."""
        return [part for part in self.parts if LEVELS.index(part.level) > LEVELS.index(level)]

    def to_plain(self) -> dict[str, Any]:
        """The reproduction as a JSON-like record."""
        return {
            **self.__dict__,
            "inputs": dict(self.inputs),
            "parts": [part.__dict__ for part in self.parts],
            "runs": list(self.runs),
        }
