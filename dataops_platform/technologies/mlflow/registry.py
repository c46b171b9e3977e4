"""The model registry: registers versions and finds their files. The same files are registered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused, UsedWrongly, did_you_mean

if TYPE_CHECKING:
    from mlflow import MlflowClient

DIGEST_TAG = "dataops.digest"


def register(client: MlflowClient, name: str, source: str, run_id: str, digest: str, tags: Mapping[str, str]) -> str:
    """Return the version of `name` with these files, which is registered if there is none. Sets no alias."""
    found = find_version(client, name, digest)
    if found is not None:
        return found
    _create(client, name)
    version = client.create_model_version(name, source=source, run_id=run_id, tags={**tags, DIGEST_TAG: digest})
    return str(version.version)


def find_version(client: MlflowClient, name: str, digest: str) -> str | None:
    """Return the lowest version of `name` whose files have this digest, or None."""
    return next(iter(find_versions(client, name, digest)), None)


def version_files(client: MlflowClient, name: str, version: str) -> Path:
    """Return the folder with a version's files.

    Raises: Refused DP-M002 when the registry lacks the version or its files.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        client.get_model_version(name, version)
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/{version}"))
    except (MlflowException, OSError) as error:
        raise Refused("DP-M002", version=version, model=name) from error


@dataclass(frozen=True)
class Registered:
    """A registered model: the version behind each alias, and its tags."""

    name: str
    exists: bool = True
    aliases: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def registered(client: MlflowClient, name: str) -> Registered:
    """Return a registered model; `exists` is false for an unknown name."""
    from mlflow.exceptions import MlflowException

    try:
        found = client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return Registered(name, exists=False)
    return Registered(name, True, {alias: str(v) for alias, v in found.aliases.items()}, dict(found.tags))


def registered_below(client: MlflowClient, prefix: str) -> list[str]:
    """Return the names of registered models that begin with `prefix`."""
    names, token = list[str](), ""
    while True:
        page = client.search_registered_models(f"name like '{prefix}%'", page_token=token or None)
        names += [model.name for model in page if model.name.startswith(prefix)]  # `_` stands for any character
        token = page.token or ""
        if not token:
            return sorted(names)


def version_tags(client: MlflowClient, name: str, version: str) -> dict[str, str] | None:
    """Return the tags of a version, or None for an unknown version."""
    from mlflow.exceptions import MlflowException

    try:
        return dict(client.get_model_version(name, version).tags)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def resolve_version(client: MlflowClient, name: str, number_or_alias: str) -> str:
    """Return the version of `name` with this number or alias. Raises: UsedWrongly DP-M013 for an unknown one."""
    from mlflow.exceptions import MlflowException

    try:
        if number_or_alias.isdigit():
            return str(client.get_model_version(name, number_or_alias).version)
        return str(client.get_model_version_by_alias(name, number_or_alias).version)
    except MlflowException as error:
        known = registered(client, name).aliases
        raise UsedWrongly(
            "DP-M013", model=name, called=number_or_alias, hint=did_you_mean(number_or_alias, known)
        ) from error


def find_versions(client: MlflowClient, name: str, digest: str) -> list[str]:
    """Return the versions of `name` whose tag records this digest, lowest first."""
    found = client.search_model_versions(f"name = '{name}' and tags.`{DIGEST_TAG}` = '{digest}'")
    return [str(number) for number in sorted(int(version.version) for version in found)]


def copy_version(client: MlflowClient, source: tuple[str, str], name: str, tags: Mapping[str, str]) -> str:
    """Register a version (name, number) under another name, and return its number there. Its files stay in place."""
    _create(client, name)
    version = client.get_model_version(*source)
    copied = client.create_model_version(
        name, source=f"models:/{source[0]}/{source[1]}", run_id=version.run_id, tags=dict(tags)
    )
    return str(copied.version)


def _create(client: MlflowClient, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
