"""What is to be made again: the tables and models of a release, or those that one run made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import UsedWrongly, preview
from dataops_platform.manifests.events import Duplicate, Publication
from dataops_platform.manifests.manifest import Head, Manifest
from dataops_platform.release.lineage import SOURCES, Origin, origin_of
from dataops_platform.release.release import Release, releases_of
from dataops_platform.warehouse.heads import find_run, heads_of_cut, locate_manifests
from dataops_platform.warehouse.lake import Lake


@dataclass(frozen=True)
class Target:
    """What was asked for: its results as they were, by name, and the release whose code made them, if one has it."""

    label: str
    id: str
    results: Mapping[str, Head]
    release: Release | None
    run: str = ""

    def passes(self, lake: Lake) -> list[Origin]:
        """What to make in one go each, from what.

        All at once where everything was made from the same; where a model was trained on other rows than are shown,
        it is made apart, and scored with as it was.
        """
        manifests = [m for head in self.results.values() for m in head.manifests if m.stage not in SOURCES]
        if self.run:
            return [origin_of(lake, [m.id for m in manifests], within={m.id for m in manifests})]
        whole = origin_of(lake, [m.id for m in manifests])
        if not _is_twice([*whole.made.values(), *whole.given.values()]):
            return [whole]
        models = {m.id for m in whole.made.values() if m.kind == "model"}
        rest = origin_of(lake, [m.id for m in manifests if m.id not in models], within=whole.made.keys() - models)
        return [*(origin_of(lake, [model]) for model in sorted(models)), rest]


def find_target(lake: Lake, wanted: str, environment: str = "") -> Target:
    """The release, or else the Dagster run, whose id begins so; the run in one environment where that is given.

    Raises: UsedWrongly DP-L050 for none, DP-L073 or DP-L088 for several, DP-L089 for a run that made nothing.
    """
    beginning = wanted.removeprefix("sha256:")
    releases = releases_of(lake)
    found = [r for r in releases if beginning and r.id.removeprefix("sha256:").startswith(beginning)]
    runs = find_run(lake.connection, wanted, environment) if wanted and not found else {}
    if len(found) == 1:
        (release,) = found
        return Target(f"release {release}", release.id, heads_of_cut(lake.connection, release.cut), release)
    if len(runs) == 1:
        ((run, manifests),) = runs.items()
        return _target_of_run(lake, run, manifests, releases)
    if found:
        raise UsedWrongly("DP-L073", wanted=wanted, known=preview(reversed(found)))
    if runs:
        raise UsedWrongly("DP-L088", wanted=wanted, known=preview(sorted(runs)))
    raise UsedWrongly("DP-L050", wanted=wanted, known=preview(reversed(releases)) or "none")


def _target_of_run(lake: Lake, run: str, manifests: Sequence[Manifest], releases: Sequence[Release]) -> Target:
    located = locate_manifests(lake.connection, [m.id for m in manifests])
    results: dict[str, Head] = {}
    for manifest in manifests:
        if manifest.stage in SOURCES:
            continue
        place, before = located[manifest.id], results.get(manifest.name)
        together = (*(before.manifests if before else ()), manifest)
        version = max(place.version, before.version if before else "0", key=int)
        results[manifest.name] = Head(manifest.name, manifest.kind, version, together, place.environment)
    if not results:
        raise UsedWrongly("DP-L089", run=run[:8])
    return Target(f"run {run[:8]}", run, results, _release_with(lake, run, manifests, releases), run)


def _release_with(lake: Lake, run: str, manifests: Sequence[Manifest], releases: Sequence[Release]) -> Release | None:
    """The release that holds something the run made, or under which it published; the first whose code has a commit."""
    made, names = {m.id for m in manifests}, {m.name for m in manifests}
    for release in sorted(releases, key=lambda one: one.is_dirty or not one.commit):
        heads = heads_of_cut(lake.connection, release.cut)
        if any(made & {m.id for m in head.manifests} for name, head in heads.items() if name in names):
            return release
    by_id = {release.id: release for release in releases}
    for name in {m.environment for m in manifests}:
        for event in lake.events(name):
            if isinstance(event, Publication | Duplicate) and event.run == run and event.release in by_id:
                return by_id[event.release]
    return None


def _is_twice(manifests: Iterable[Manifest]) -> bool:
    contents: dict[tuple[str, str], set[str]] = {}
    for manifest in manifests:
        contents.setdefault((manifest.name, manifest.partition), set()).add(manifest.digest)
    return any(len(digests) > 1 for digests in contents.values())


def short_name(target: Target) -> str:
    """A name for the environment that the target is made again in."""
    return f"reproduce_{short(target.id.replace('-', ''), 8)}"
