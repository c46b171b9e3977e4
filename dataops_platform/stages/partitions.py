"""Which partitions a step has to make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataops_platform.kit.errors import Refused, preview
from dataops_platform.manifests.manifest import WHOLE, Head
from dataops_platform.stages.step import Step


@dataclass(frozen=True)
class Window:
    """Rows whose time column is at or after `start` and before `end`."""

    start: dt.date
    end: dt.date


def unchanged_partitions(head: Head | None, digests: Mapping[str, str]) -> list[str]:
    """The partitions whose last audited manifest has just this step digest."""
    if head is None:
        return []
    return [p for p, digest in digests.items() if p in head.partitions and head.partitions[p].step.digest == digest]


def with_dropped_partitions(step: Step, head: Head | None, partitions: Sequence[str]) -> list[str]:
    """The partitions to make, and with all of them those that the project no longer has, which become empty.

    Raises: Refused DP-W015 when only some are asked for while the others were cut another way (months, now days).
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
