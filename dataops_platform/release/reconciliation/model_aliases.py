"""MLflow's registry made equal to the ledger: which version of a model an environment shows, and which before.

Every model that an environment shows is a version of `<environment>.<project>.<model>` with the alias `champion`; the
one of the release before has the alias `previous`. The tags `dataops.champion` and `dataops.previous` of the registered
model say what the platform made them point at: an alias that points elsewhere was moved by somebody else.
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
from dataops_platform.release.reconciliation.drift import Unequal
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
"""What an alias that is not set points at."""


@dataclass(frozen=True)
class Wanted:
    """What an alias must point at: a model of a cut, and the release that it was shown under."""

    alias: str
    member: Member
    release: str


def look_at_models(project: Project, lake: Lake, state: State) -> list[Unequal]:
    """What of the registry does not follow the ledger. MLflow is not even loaded where no model was ever shown."""
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
    names = sorted(shown | {full.removeprefix(prefix) for full in registered_below(client, prefix)})
    found: list[Unequal] = []
    for name in names:
        known = registered(client, prefix + name)
        aliases = {w.alias: w for w in wanted if w.member.name == name and name in shown}
        for alias in (CHAMPION, PREVIOUS):
            found += _look_at(project, client, known, alias, aliases.get(alias))
    return found


def _wanted(alias: str, cut: Cut, release: str) -> list[Wanted]:
    return [Wanted(alias, member, release) for member in cut.members if member.kind == "model"]


def _look_at(
    project: Project, client: MlflowClient, known: Registered, alias: str, wanted: Wanted | None
) -> list[Unequal]:
    """What is not as `wanted` about one alias of a registered model; without a wish it must not be set."""
    points_at, ours = known.aliases.get(alias, _NOTHING), _ours(known, alias)
    version = _find(project, client, known, wanted) if wanted else _NOTHING
    was = "" if points_at == _NOTHING else f"was {_told(points_at)}, and "
    said = f"{known.name}: {alias} {was}is {_told(version)} now"
    by_hand = points_at not in {*ours, version}
    if wanted is None or version is None:
        put_right = partial(_show, project, client, known, alias, wanted, version)
        return [Unequal(said, put_right, by_hand)] if points_at != version or ours != {version} else []
    tags = version_tags(client, known.name, version) or {}
    changed = {key: value for key, value in _tags(wanted).items() if tags.get(key) != value}
    if points_at == version and ours == {version} and not changed:
        return []
    if points_at == version and changed:
        by_hand = DIGEST_TAG in changed
        said = f"{known.name}: tags of version {version} are as they should be again: {', '.join(sorted(changed))}"
    return [Unequal(said, partial(_show, project, client, known, alias, wanted, version), by_hand)]


def _find(project: Project, client: MlflowClient, known: Registered, wanted: Wanted) -> str | None:
    """The version that has just this content: where the model lies, where the alias points, or any that says so.

    The files of a version are looked at unless the platform itself made the alias point there.
    """
    member, at = wanted.member, known.aliases.get(wanted.alias)
    if at and _ours(known, wanted.alias) == {at}:
        tags = version_tags(client, known.name, at)
        if tags is not None and tags.get(DIGEST_TAG) == member.digest:
            return at
    own = [member.version] if known.name == model_name(project, member.name, member.area) else []
    said = find_versions(client, known.name, member.digest) if known.exists else []
    ours = sorted(_ours(known, CHAMPION) | _ours(known, PREVIOUS))
    for version in dict.fromkeys([*own, *said, *ours]):
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
    wanted: Wanted | None,
    version: str | None,
) -> None:
    """Makes an alias point at what is wanted, and registers that first where there is no version of it."""
    if wanted is not None and version is None:
        version = _find(project, client, registered(client, known.name), wanted)  # `champion` may have just made it
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


def _register(project: Project, client: MlflowClient, name: str, wanted: Wanted) -> str:
    """Copies the version to this environment's name, after its files were found to be those of the release.

    Raises: Refused DP-M001, DP-M002, DP-M021 or DP-M011.
    """
    member = wanted.member
    source = (model_name(project, member.name, member.area), member.version)
    refuse_other_files(version_files(client, *source), member.digest)
    fault_point("reconcile.before_register")
    version = copy_version(client, source, name, _tags(wanted))
    fault_point("reconcile.after_register")
    return version


def _tags(wanted: Wanted) -> Mapping[str, str]:
    """The tags of a version; which release it is shown under, only of the one that is shown."""
    release = {RELEASE_TAG: wanted.release} if wanted.alias == CHAMPION and wanted.release else {}
    return {DIGEST_TAG: wanted.member.digest, **release}


def _ours(known: Registered, alias: str) -> set[str]:
    """What the platform made an alias point at; two versions when it died in between."""
    return set(known.tags.get(f"dataops.{alias}", _NOTHING).split(","))


def _remember(client: MlflowClient, name: str, alias: str, versions: set[str]) -> None:
    client.set_registered_model_tag(name, f"dataops.{alias}", ",".join(sorted(versions)))


def _told(version: str | None) -> str:
    if version is None:
        return "a new version"
    return "no version" if version == _NOTHING else f"version {version}"
