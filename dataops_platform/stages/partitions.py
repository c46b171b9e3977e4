"""The partitions that a step has to make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from dataops_platform.kit.errors import Refused, preview
from dataops_platform.manifests.manifest import WHOLE, Head
from dataops_platform.stages.step import Step


@dataclass(frozen=True)
class PartitionWindow:
    """A span of days: rows whose time column is at or after `start` and before `end`."""

    start: dt.date
    end: dt.date

    @property
    def days(self) -> list[str]:
        """Start and end, ISO format."""
        return [self.start.isoformat(), self.end.isoformat()]


def with_dropped_partitions(step: Step, head: Head | None, partitions: Sequence[str]) -> list[str]:
    """Return the partitions to make. A run of all partitions adds those that the project dropped, which become empty.

    Raises: Refused DP-W015 when a run of only some meets others of another length (months, now days).
    """
    if head is None or step.partitions is None or WHOLE in head.partitions:
        return list(partitions)
    keys, every = step.partitions.keys(), step.partitions.every
    others = [p for p in head.partitions if p not in partitions]
    if set(partitions) == set(keys):
        return [*partitions, *others]
    if any(head.partitions[p].details.get("every", every) != every for p in others):
        raise Refused("DP-W015", table=head.name, every=every, partitions=preview(others))
    return list(partitions)
