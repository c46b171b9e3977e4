"""What two sets of runs say: medians of each step and stage side by side, and what one side adds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measured_run import Measured

STAGES = {
    "extract": ("raw_airlines", "raw_airports", "raw_flights", "raw_planes", "raw_weather"),
    "clean": ("airlines", "airports", "flights", "planes", "weather"),
    "transform": ("transform",),
    "train": ("delay",),
    "score": ("delay_predictions",),
    "publish": ("publication",),
}


@dataclass(frozen=True)
class Line:
    """Median seconds of both sides for one thing; `steps`: how many steps it is made of."""

    name: str
    bare_s: float
    platform_s: float
    steps: int

    @property
    def ratio(self) -> float:
        """How many times longer the platform takes."""
        return self.platform_s / self.bare_s

    @property
    def added_s(self) -> float:
        """What the platform adds, in seconds a step."""
        return (self.platform_s - self.bare_s) / max(self.steps, 1)


@dataclass(frozen=True)
class Comparison:
    """Runs of both sides, in rounds."""

    bare: Sequence[Measured]
    platform: Sequence[Measured]

    def steps(self) -> list[Line]:
        """One line a step, stages in order."""
        return [self._of(name, [name]) for names in STAGES.values() for name in names]

    def stages(self) -> list[Line]:
        """One line a stage."""
        return [self._of(stage, names) for stage, names in STAGES.items()]

    def around(self) -> list[Line]:
        """What lies around the steps: loading the definitions, and Dagster's own time between steps."""
        load = self._line("definitions", lambda run: run.load_s, 0)
        return [load, self._line("between steps", lambda run: run.run_s - sum(run.steps_s.values()), 0)]

    def total(self) -> Line:
        """The whole run, without loading the definitions."""
        return self._line("run", lambda run: run.run_s, len(self.bare[0].steps_s))

    def processors(self) -> Line:
        """Seconds of processors of the whole run, all threads: tells more than time on a machine that others use."""
        return self._line("run, processors", lambda run: run.cpu_s, len(self.bare[0].steps_s))

    def ratios(self) -> list[float]:
        """The ratio of the whole run, round by round."""
        return [theirs.run_s / plain.run_s for theirs, plain in zip(self.platform, self.bare, strict=True)]

    def peaks_mib(self) -> tuple[int, int]:
        """The most memory a run of each side took."""
        return max(run.peak_mib for run in self.bare), max(run.peak_mib for run in self.platform)

    def _of(self, name: str, steps: Sequence[str]) -> Line:
        return self._line(name, lambda run: sum(run.steps_s[step] for step in steps), len(steps))

    def _line(self, name: str, seconds: Callable[[Measured], float], steps: int) -> Line:
        bare, platform = (statistics.median(map(seconds, runs)) for runs in (self.bare, self.platform))
        return Line(name, bare, platform, steps)
