"""What results were made from: raw tables, and whatever else no step of the platform made, at the end of the way."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dataops_platform.manifests.manifest import Manifest
from dataops_platform.stages.inputs import ELSEWHERE
from dataops_platform.warehouse.heads import ids_of_inputs, locate_manifests, read_manifests, siblings_of
from dataops_platform.warehouse.lake import Lake

SOURCES = ("extract", ELSEWHERE)
"""Stages of tables that come from outside: they are taken as they were, not made again."""


@dataclass(frozen=True)
class Origin:
    """The manifests on the way to some results: those of steps to make again, and those of what they start from."""

    made: dict[str, Manifest]
    given: dict[str, Manifest]


def origin_of(lake: Lake, results: Iterable[str], within: Collection[str] | None = None) -> Origin:
    """Follows the inputs of manifests down to the sources; or only as far as the manifests of `within` go.

    What dbt made together belongs together.
    """
    made: dict[str, Manifest] = {}
    given: dict[str, Manifest] = {}
    todo = set(results)
    while todo:
        found = read_manifests(lake.connection, todo)
        for name, manifest in found.items():
            is_given = manifest.stage in SOURCES or (within is not None and name not in within)
            (given if is_given else made)[name] = manifest
        new = [found[name] for name in found if name in made]
        todo = ids_of_inputs(lake.connection, (ref for manifest in new for ref in manifest.step.inputs))
        todo |= {manifest.id for manifest in siblings_of(lake.connection, new)}
        todo -= made.keys() | given.keys()
    return Origin(made, given)


def versions_of_inputs(lake: Lake, results: Iterable[str]) -> frozenset[int]:
    """The versions of the tables from outside that results were made from."""
    given = origin_of(lake, results).given
    located = locate_manifests(lake.connection, given)
    return frozenset(int(located[name].version) for name, manifest in given.items() if manifest.kind == "table")
