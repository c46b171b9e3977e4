"""Deletes what no retained state uses: snapshots of the lake, their files, and versions of models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.errors import LostRace, Refused
from dataops_platform.kit.faults import fault_point
from dataops_platform.manifests.events import Collection, by
from dataops_platform.manifests.history import collection_of, moves
from dataops_platform.release.lineage import versions_of_inputs
from dataops_platform.release.release import releases_of
from dataops_platform.release.reproduce.scratch import clear_left
from dataops_platform.release.retention.policy import (
    RECENTLY,
    Needed,
    Retention,
    kept_releases,
    kept_states,
    needed_by,
    unneeded_nodes,
)
from dataops_platform.settings.project import Project
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.mlflow.versions import RegisteredVersion, all_versions, delete_version
from dataops_platform.warehouse.deletion import delete_unneeded
from dataops_platform.warehouse.expiry import Files, files_only_of, remove_files, snapshots
from dataops_platform.warehouse.heads import heads_of_cut, read_built_environments, read_models
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State

ATTEMPTS = 20


@dataclass(frozen=True)
class Garbage:
    """What no retained state uses: snapshots by number, the files that only they have, stored texts, model versions.

    `nodes` are digests of stored texts: cuts and nodes of trees of windows. `states` maps each environment to the
    events whose states cannot be returned to once this is deleted; `kept` to its number of retained states.
    """

    snapshots: tuple[int, ...]
    nodes: frozenset[str]
    files: Files
    models: tuple[RegisteredVersion, ...]
    states: Mapping[str, tuple[int, ...]]
    kept: Mapping[str, int]

    def to_plain(self) -> dict[str, Any]:
        """Return the garbage as a JSON-like record."""
        return {
            "snapshots": len(self.snapshots),
            "versions": list(self.snapshots),
            "nodes": len(self.nodes),
            "files": self.files.count,
            "bytes": self.files.size_bytes,
            "models": [{"model": one.name, "version": one.version, "digest": one.digest} for one in self.models],
            "states": {name: list(numbers) for name, numbers in self.states.items()},
            "kept": dict(self.kept),
        }


def look(session: Session, retention: Retention) -> Garbage:
    """Return what could be deleted now. Deletes nothing."""
    return _look(session, _states(session), retention)


def collect(session: Session, retention: Retention) -> Garbage:
    """Delete what `look` finds, and return it. The ledger of each environment that loses states records which.

    First the scratch environments of killed reproductions are removed. Then snapshots and stored texts are deleted in
    one transaction. It commits only if no environment changed since the look, so that no environment ever points at a
    deleted snapshot. Files and model versions follow. The next call completes a deletion that was killed.
    Raises: Refused DP-L062 when the environments changed during every attempt; what `delete_unneeded` raises.
    """
    lake = session.lake
    clear_left(session.project, lake)
    with lake.lock.held():
        for _ in range(ATTEMPTS):
            states = _states(session)
            garbage = _look(session, states, retention)
            fault_point("gc.before_expire")
            try:
                delete_unneeded(
                    lake, states, _events(session, garbage), garbage.snapshots, garbage.nodes, session.now() - RECENTLY
                )
            except LostRace:
                continue
            if not snapshots(lake.connection) & set(garbage.snapshots):
                break
        else:
            raise Refused("DP-L062")
        fault_point("gc.after_expire")
        remove_files(lake.connection)
        fault_point("gc.after_files")
    _delete_models(session.project, garbage.models)
    return garbage


def _states(session: Session) -> dict[str, State]:
    lake = session.lake
    known = {*lake.environments(), *read_built_environments(lake.connection), *session.project.settings.environments}
    return {name: lake.state(name) for name in sorted(known)}


def _look(session: Session, states: Mapping[str, State], retention: Retention) -> Garbage:
    lake, now = session.lake, session.now()
    events = {name: lake.events(name) for name in states}
    kept = {name: kept_states(found, retention, now) for name, found in events.items()}
    shown = [event for found in kept.values() for event in found]
    everything = releases_of(lake)
    releases = kept_releases(everything, shown, retention, now)
    needed = needed_by(lake, states, shown, releases, now)
    snapshots_needed = set(needed.snapshots)
    if retention.inputs:
        cuts = [*(lake.cut(event) for event in shown), *(release.cut for release in releases)]
        heads = [head for cut in cuts for head in heads_of_cut(lake.connection, cut).values()]
        snapshots_needed |= versions_of_inputs(lake, {m.id for head in heads for m in head.manifests})
    there = snapshots(lake.connection)
    # the newest snapshot is the present state of the lake
    expired = sorted(there - snapshots_needed - {max(there, default=0)})
    given_up = {
        name: tuple(
            event.sequence
            for event in moves(found)
            if not all(needed.has(m) for m in lake.cut(event).members) and collection_of(found, event.sequence) is None
        )
        for name, found in events.items()
    }
    back = [
        event
        for name, found in events.items()
        for event in moves(found)
        if event.sequence not in given_up[name] and collection_of(found, event.sequence) is None
    ]
    return Garbage(
        snapshots=tuple(expired),
        nodes=unneeded_nodes(lake, back, everything),
        files=files_only_of(lake.connection, expired),
        models=tuple(_models(session.project, lake, states, needed, (now - RECENTLY).isoformat())),
        states={name: numbers for name, numbers in given_up.items() if numbers},
        kept={name: len(found) for name, found in kept.items() if found},
    )


def _events(session: Session, garbage: Garbage) -> dict[str, Collection]:
    return {name: Collection(**by(session.actor), collected=numbers) for name, numbers in garbage.states.items()}


def _models(
    project: Project, lake: Lake, environments: Iterable[str], needed: Needed, recently: str
) -> list[RegisteredVersion]:
    """Return the unused versions under the platform's own names, except recent, aliased and requested ones.

    `recently` is a time in ISO format, UTC.
    """
    models = read_models(lake.connection)
    if not models:
        return []
    own = {model_name(project, model, name): model for model in models for name in environments}
    return [
        one
        for one in all_versions(open_tracking(project).client)
        if one.name in own
        and one.digest
        and (own[one.name], one.digest) not in needed.models
        and not one.aliases
        and not one.is_requested
        and one.made_at < recently
    ]


def _delete_models(project: Project, models: Iterable[RegisteredVersion]) -> None:
    unneeded = list(models)
    if not unneeded:
        return
    client = open_tracking(project).client
    others = {one.files for one in all_versions(client) if one not in unneeded}
    for version in unneeded:
        delete_version(client, version, others)
