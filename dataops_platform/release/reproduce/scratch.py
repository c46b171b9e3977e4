"""Scratch environments: they start from the inputs of an earlier result, and are removed afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dataops_platform.kit.errors import Refused, UsedWrongly, preview
from dataops_platform.kit.sql import literal
from dataops_platform.kit.text_file import write_text
from dataops_platform.manifests.events import Creation, by
from dataops_platform.manifests.manifest import Head, Manifest
from dataops_platform.orchestration.instance import forget_assets
from dataops_platform.release.lineage import Origin
from dataops_platform.release.reproduce.kept import is_as_recorded
from dataops_platform.settings.project import BRANCHES, Project, branch_file
from dataops_platform.stages.inputs import EXTERNAL
from dataops_platform.technologies.files.location import locate
from dataops_platform.technologies.mlflow.tracking import open_tracking
from dataops_platform.technologies.mlflow.versions import forget_models
from dataops_platform.warehouse.drop import forget_environment
from dataops_platform.warehouse.heads import Written, locate_manifests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State

AT_WORK = "something is made again here\n"
"""The content of an environment's mark file while a process works in it. It is empty for a kept environment."""


@contextmanager
def scratch(project: Project, lake: Lake, name: str, *, keep: bool = False) -> Iterator[str]:
    """Create an empty environment called `name`, and remove it at the end unless `keep`.

    Waits for another process that uses the name. Removes what an earlier environment of this name left.
    """
    mark = branch_file(project.state_dir, name)
    with _locked(project, lake, name):
        _remove(project, lake, name)
        write_text(mark, AT_WORK)
        try:
            yield name
        finally:
            if keep:
                write_text(mark, "")
            else:
                _remove(project, lake, name)
                mark.unlink()


def clear_left(project: Project, lake: Lake) -> list[str]:
    """Remove the scratch environments of killed processes, and return their names.

    Environments of running processes and those kept by `--keep` stay.
    """
    from filelock import Timeout

    cleared = []
    for mark in sorted((project.state_dir / BRANCHES).glob("*")):
        if not _is_at_work(mark):
            continue
        try:
            with _locked(project, lake, mark.name, timeout_s=0):
                if _is_at_work(mark):
                    _remove(project, lake, mark.name)
                    mark.unlink()
                    cleared.append(mark.name)
        except Timeout:
            continue
    return cleared


def _is_at_work(mark: Path) -> bool:
    return mark.exists() and mark.read_text() == AT_WORK


@contextmanager
def _locked(project: Project, lake: Lake, name: str, timeout_s: float = -1) -> Iterator[None]:
    from filelock import FileLock

    locks = project.state_dir / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with FileLock(locks / f"{name}.lock", timeout=timeout_s), lake.lock.advisory(name):
        yield


def _remove(project: Project, lake: Lake, name: str) -> None:
    if any(head.kind == "model" for head in lake.heads(name).values()):
        forget_models(open_tracking(project).client, project.name, name)
    forget_assets(project, name)
    forget_environment(lake, name)
    shutil.rmtree(project.state_dir / "dbt" / name, ignore_errors=True)


def give_inputs(session: Session, environment: str, origin: Origin) -> list[str]:
    """Make the inputs of `origin` the heads of an environment, and return the names of tables to read from files again.

    A table whose partitions are together in one version is referenced by it; otherwise its partitions are copied into
    one. A table whose versions were deleted must be read again from its files, which must be unchanged.
    Raises: Refused DP-L052 when the files of a deleted table changed, DP-L090 when another program wrote the deleted
    table, DP-L053 when the rows to copy are not the recorded ones.
    """
    project, lake = session.project, session.lake
    located = locate_manifests(lake.connection, origin.given)
    by_name: dict[str, dict[str, Manifest]] = {}
    for manifest in sorted(origin.given.values(), key=lambda m: m.recorded_at):
        by_name.setdefault(manifest.name, {})[manifest.partition] = manifest
    pinned, copied, again = [], dict[str, Mapping[str, Manifest]](), []
    for name, partitions in by_name.items():
        places = [located[m.id] for m in partitions.values()]
        if not _is_there(lake, places):
            _refuse_changed_file(project, name, partitions.values())
            again.append(name)
            continue
        newest = max(places, key=lambda place: int(place.version))
        kind = next(m.kind for m in partitions.values())
        head = Head(name, kind, newest.version, tuple(partitions.values()), newest.environment)
        if head.kind == "model" or is_as_recorded(lake, head):
            pinned.append(head)
        else:
            copied[name] = partitions
    lake.switch(environment, lake.cut_of(pinned), State(environment), Creation(**by(session.actor)))
    for name in copied:
        _copy(lake, environment, name, copied[name], located)
    return again


def _is_there(lake: Lake, places: Iterable[Written]) -> bool:
    return all(place.kind == "model" or lake.has_version(place.version) for place in places)


def _refuse_changed_file(project: Project, name: str, manifests: Iterable[Manifest]) -> None:
    files = {ref.name: ref.digest for m in manifests for ref in m.step.inputs if m.stage != EXTERNAL}
    changed = [file for file, digest in files.items() if _digest_of_file(project, file) != digest]
    if not files:
        raise Refused("DP-L090", table=name)
    if changed:
        raise Refused("DP-L052", table=name, files=preview(changed))


def _digest_of_file(project: Project, name: str) -> str:
    from dataops_platform.kit.digests import digest_of_file

    for written in (name, f"package://{name}"):
        try:
            return digest_of_file(locate(written, project.home))
        except UsedWrongly:
            continue
    return ""


def _copy(
    lake: Lake, environment: str, name: str, partitions: Mapping[str, Manifest], located: Mapping[str, Written]
) -> None:
    heads = [_alone(manifest, located[manifest.id]) for manifest in partitions.values()]
    wrong = [head.manifests[0].partition for head in heads if not is_as_recorded(lake, head)]
    if wrong:
        raise Refused("DP-L053", table=name, partitions=preview(partition or "all" for partition in wrong))
    parts = [
        f"select * from {lake.relation(environment, head)} where _dp_partition = {literal(head.manifests[0].partition)}"
        for head in heads
    ]
    with lake.stage(environment, name) as staging:
        staging.replace(" union all by name ".join(parts), list(partitions))
        staging.record([replace(m, environment=environment) for m in partitions.values()])


def _alone(manifest: Manifest, place: Written) -> Head:
    """Return one partition of a table as a head of its own."""
    return Head(manifest.name, manifest.kind, place.version, (manifest,), place.environment)
