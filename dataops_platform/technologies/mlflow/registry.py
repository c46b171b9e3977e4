"""Registers versions and finds their files. A version whose files are already registered is found, not doubled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused

if TYPE_CHECKING:
    from mlflow import MlflowClient

DIGEST_TAG = "dataops.digest"


def register(client: MlflowClient, name: str, source: str, run_id: str, digest: str, tags: Mapping[str, str]) -> str:
    """The number of the version of `name` with these files: the one there is, else a new one. Sets no alias."""
    found = find_version(client, name, digest)
    if found is not None:
        return found
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(name, source=source, run_id=run_id, tags={**tags, DIGEST_TAG: digest})
    return str(version.version)


def find_version(client: MlflowClient, name: str, digest: str) -> str | None:
    """The lowest version of `name` whose files have this digest."""
    found = client.search_model_versions(f"name = '{name}' and tags.`{DIGEST_TAG}` = '{digest}'")
    numbers = sorted(int(version.version) for version in found)
    return str(numbers[0]) if numbers else None


def version_files(client: MlflowClient, name: str, version: str) -> Path:
    """The folder with a version's files. Raises: Refused DP-M002 when the registry has no such version."""
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        client.get_model_version(name, version)
    except MlflowException as error:
        raise Refused(
            "DP-M002", f"the registry has no version {version} of {name}", fix="train the model again"
        ) from error
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}/{version}"))
