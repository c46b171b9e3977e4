"""The lineage of tables and models, back to the tables that no step of the platform computes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dataops_platform.manifests.manifest import Manifest
from dataops_platform.stages.inputs import EXTERNAL
from dataops_platform.warehouse.heads import ids_of_inputs, locate_manifests, read_manifests, siblings_of
from dataops_platform.warehouse.lake import Lake

SOURCES = ("extract", EXTERNAL)
"""Stages of tables that come from outside. A reproduction reuses their versions and does not run their stages."""


@dataclass(frozen=True)
class Origin:
    """The manifests behind some results, by id: what steps computed (`made`), and what they started from (`given`)."""

    made: dict[str, Manifest]
    given: dict[str, Manifest]


def origin_of(lake: Lake, results: Iterable[str], within: Collection[str] | None = None) -> Origin:
    """Return the origin of the manifests with the ids `results`, followed through their inputs to the sources.

    With `within`, every manifest outside these ids counts as an input. Models that one dbt run made stay together.
    Raises: SystemFailed DP-W006 when a manifest is missing.
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
    """Return the versions of the source tables behind the manifests with the ids `results`."""
    given = origin_of(lake, results).given
    located = locate_manifests(lake.connection, given)
    return frozenset(int(located[name].version) for name, manifest in given.items() if manifest.kind == "table")
