"""Keeps the aliases in MLflow's registry equal to the ledger.

The version of `<environment>.<project>.<model>` that an environment shows has the alias `champion`; the version of the
release before has the alias `previous`. The tags `dataops.champion` and `dataops.previous` of the registered model
record where the platform set them. An alias that points elsewhere was moved outside the platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused
from dataops_platform.kit.faults import fault_point
from dataops_platform.manifests.cut import Cut, Member
from dataops_platform.manifests.history import ever_showed_a_model, state_before_release
from dataops_platform.release.reconciliation.drift import Drift
from dataops_platform.settings.project import Project
from dataops_platform.technologies.mlflow.registry import (
    DIGEST_TAG,
    Registered,
    copy_version,
    find_versions,
    registered,
    registered_below,
    version_files,
    version_tags,
)
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.sklearn.artefact import refuse_other_files
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State

if TYPE_CHECKING:
    from mlflow import MlflowClient

RELEASE_TAG = "dataops.release"
CHAMPION, PREVIOUS = "champion", "previous"
_NOTHING = "-"
"""Stands for the version of an alias that is not set."""


@dataclass(frozen=True)
class WantedAliases:
    """The target of an alias: a model of a cut, and the release that the model was shown under."""

    alias: str
    member: Member
    release: str


def look_at_models(project: Project, lake: Lake, state: State) -> list[Drift]:
    """Return the drift of the registry from the ledger. Loads MLflow only if the environment ever showed a model."""
    events = lake.events(project.environment)
    if not ever_showed_a_model(events):
        return []
    before = state_before_release(events)
    wanted = _wanted(CHAMPION, state.cut, state.release)
    if before is not None:
        wanted += _wanted(PREVIOUS, lake.cut(before), before.release)
    client = open_tracking(project).client
    prefix = model_name(project, "")
    shown = {w.member.name for w in wanted if w.alias == CHAMPION}
    # also models that are no longer shown: their aliases are deleted
    names = sorted(shown | {full.removeprefix(prefix) for full in registered_below(client, prefix)})
    found: list[Drift] = []
    for name in names:
        known = registered(client, prefix + name)
        aliases = {w.alias: w for w in wanted if w.member.name == name and name in shown}
        for alias in (CHAMPION, PREVIOUS):
            found += _look_at(project, client, known, alias, aliases.get(alias))
    return found


def _wanted(alias: str, cut: Cut, release: str) -> list[WantedAliases]:
    return [WantedAliases(alias, member, release) for member in cut.members if member.kind == "model"]


def _look_at(
    project: Project, client: MlflowClient, known: Registered, alias: str, wanted: WantedAliases | None
) -> list[Drift]:
    """Return the drift of one alias of a registered model. None for `wanted` means that the alias must not be set."""
    points_at, ours = known.aliases.get(alias, _NOTHING), _ours(known, alias)
    version = _find(project, client, known, wanted) if wanted else _NOTHING
    was = "" if points_at == _NOTHING else f"was {_told(points_at)}, and "
    message = f"{known.name}: {alias} {was}is {_told(version)} now"
    by_hand = points_at not in {*ours, version}
    if wanted is None or version is None:
        put_right = partial(_show, project, client, known, alias, wanted, version)
        return [Drift(message, put_right, by_hand)] if points_at != version or ours != {version} else []
    tags = version_tags(client, known.name, version) or {}
    changed = {key: value for key, value in _tags(wanted).items() if tags.get(key) != value}
    if points_at == version and ours == {version} and not changed:
        return []
    if points_at == version and changed:
        by_hand = DIGEST_TAG in changed
        message = f"{known.name}: tags of version {version} are as they should be again: {', '.join(sorted(changed))}"
    return [Drift(message, partial(_show, project, client, known, alias, wanted, version), by_hand)]


def _find(project: Project, client: MlflowClient, known: Registered, wanted: WantedAliases) -> str | None:
    """Return the version of a registered model that has the wanted content, or None.

    Candidates are the member's own version, versions whose tag records the digest, and those that the platform's tags
    name. Their files are verified, except when the platform itself gave a version with this digest the alias.
    """
    member, at = wanted.member, known.aliases.get(wanted.alias)
    if at and _ours(known, wanted.alias) == {at}:
        tags = version_tags(client, known.name, at)
        if tags is not None and tags.get(DIGEST_TAG) == member.digest:
            return at
    own = [member.version] if known.name == model_name(project, member.name, member.area) else []
    known_to_mlflow = find_versions(client, known.name, member.digest) if known.exists else []
    ours = sorted(_ours(known, CHAMPION) | _ours(known, PREVIOUS))
    for version in dict.fromkeys([*own, *known_to_mlflow, *ours]):
        if version != _NOTHING and _holds(client, known.name, version, member.digest):
            return version
    return None


def _holds(client: MlflowClient, name: str, version: str, digest: str) -> bool:
    try:
        refuse_other_files(version_files(client, name, version), digest)
    except Refused:
        return False
    return True


def _show(
    project: Project,
    client: MlflowClient,
    known: Registered,
    alias: str,
    wanted: WantedAliases | None,
    version: str | None,
) -> None:
    """Set an alias to the wanted version, which is registered first if there is none. None for `wanted` deletes it.

    The tag names the old and the new version while the alias moves, so that a process killed between the two does not
    look like a change by hand.
    """
    if wanted is not None and version is None:
        # looked for again: the correction of `champion` may have just registered it
        version = _find(project, client, registered(client, known.name), wanted)
    if wanted is not None and version is None:
        version = _register(project, client, known.name, wanted)
    assert version is not None
    ours = {*_ours(known, alias), version}
    _remember(client, known.name, alias, ours)
    for key, value in (_tags(wanted) if wanted else {}).items():
        client.set_model_version_tag(known.name, version, key, value)
    fault_point("reconcile.before_alias")
    if version != _NOTHING:
        client.set_registered_model_alias(known.name, alias, version)
    elif alias in known.aliases:
        client.delete_registered_model_alias(known.name, alias)
    fault_point("reconcile.after_alias")
    _remember(client, known.name, alias, {version})


def _register(project: Project, client: MlflowClient, name: str, wanted: WantedAliases) -> str:
    """Register the wanted version under `name` after verifying its files, and return its number there.

    Raises: Refused DP-M002 when it is missing; DP-M001, DP-M021 or DP-M011 for other files.
    """
    member = wanted.member
    source = (model_name(project, member.name, member.area), member.version)
    refuse_other_files(version_files(client, *source), member.digest)
    fault_point("reconcile.before_register")
    version = copy_version(client, source, name, _tags(wanted))
    fault_point("reconcile.after_register")
    return version


def _tags(wanted: WantedAliases) -> Mapping[str, str]:
    """Return the tags of a version. Only the champion is tagged with its release."""
    release = {RELEASE_TAG: wanted.release} if wanted.alias == CHAMPION and wanted.release else {}
    return {DIGEST_TAG: wanted.member.digest, **release}


def _ours(known: Registered, alias: str) -> set[str]:
    """Return the versions that the platform gave an alias: two when a process died while moving it."""
    return set(known.tags.get(f"dataops.{alias}", _NOTHING).split(","))


def _remember(client: MlflowClient, name: str, alias: str, versions: set[str]) -> None:
    client.set_registered_model_tag(name, f"dataops.{alias}", ",".join(sorted(versions)))


def _told(version: str | None) -> str:
    if version is None:
        return "a new version"
    return "no version" if version == _NOTHING else f"version {version}"
