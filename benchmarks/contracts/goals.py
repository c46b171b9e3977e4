"""What we promise beside the others, and whether the figures keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.contracts.process import Cost

ROWS = 10_000_000
"""The size that the goals are meant for."""


@dataclass(frozen=True)
class Goal:
    """One promise in words; `found` and `most` are None when a side that it needs gave no figure."""

    words: str
    found: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether it is kept; None when nobody can say."""
        return None if self.found is None or self.most is None else self.found <= self.most


def goals(costs: Mapping[str, Cost], peers: set[str]) -> list[Goal]:
    """Every goal, in seconds of processors of whole processes, and one in GB; `costs` has the sides that finished."""
    cpu = {name: cost.cpu_s for name, cost in costs.items()}
    verdicts, full, recheck = (cpu.get(f"ours:{mode}") for mode in ("verdicts", "full", "recheck"))
    best = min(peers & cpu.keys(), key=lambda name: cpu[name], default="")
    scan, copy = cpu.get("scan"), cpu.get("copy")
    ours = costs.get("ours:verdicts")
    return [
        Goal("verdicts: at most 2.5 × the scan", verdicts, _times(2.5, scan)),
        Goal(
            f"verdicts: at most 0.6 × the best peer{f' ({best})' if best else ''}", verdicts, _times(0.6, cpu.get(best))
        ),
        Goal("verdicts: at most 0.4 × pandera:polars", verdicts, _times(0.4, cpu.get("pandera:polars"))),
        Goal("verdicts: at most 0.6 GB of memory", ours.peak_gb if ours else None, 0.6),
        Goal(
            "full: at most 8 × the scan, and the write (copy less scan)",
            full,
            None if scan is None or copy is None else 8 * scan + copy - scan,
        ),
        Goal("recheck: at most 0.2 × the verdicts on all rows", recheck, _times(0.2, verdicts)),
    ]


def _times(factor: float, seconds: float | None) -> float | None:
    return None if seconds is None else factor * seconds
