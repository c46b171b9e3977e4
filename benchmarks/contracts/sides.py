"""Who is compared: ours, the peers, and the bare scan."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contracts.environments import REQUIREMENTS, python_of
from benchmarks.contracts.planted import RULES, planted, planted_in_addition

HERE = "benchmarks.contracts"


@dataclass(frozen=True)
class Side:
    """One row of the table: the module that is run, with what words after it; `judges` says which rows it judges."""

    name: str
    module: str
    mode: str = ""
    judges: str = "rows"
    peer: str = ""

    def command(self, cache: Path) -> list[str]:
        """How it is started; a peer's environment is made the first time."""
        python = python_of(self.peer, cache) if self.peer else Path(sys.executable)
        return [str(python), "-m", self.module]

    def expected(self, rows: int) -> Mapping[str, int]:
        """What it must find; nothing where it judges nothing."""
        return {"rows": planted, "added": planted_in_addition, "nothing": lambda _: {}}[self.judges](rows)

    @property
    def proven(self) -> Mapping[str, int]:
        """What it must find in the small file in which every rule is broken."""
        return {} if self.judges != "rows" else dict.fromkeys(RULES, 1) | {"primary_key": 2}


SIDES = (
    Side("scan", f"{HERE}.scan", "scan", "nothing"),
    Side("copy", f"{HERE}.scan", "copy", "nothing"),
    Side("ours:verdicts", f"{HERE}.ours", "verdicts"),
    Side("ours:full", f"{HERE}.ours", "full"),
    Side("ours:recheck", f"{HERE}.ours", "recheck", "added"),
    *(Side(peer.replace("pandera_", "pandera:"), f"{HERE}.peers.{peer}", peer=peer) for peer in REQUIREMENTS),
)
