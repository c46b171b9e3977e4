"""All versions of registered models, and the deletion of versions that nothing needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dataops_platform.technologies.mlflow.registry import DIGEST_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient

REQUEST_TAG = "dataops.request"
_LOGGED = "models:/m-"


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of a registered model.

    `digest` is that of its files, empty when the platform did not register it. `made_at` is in ISO format, UTC. `files`
    is where its files are, which a copy under another name shares. `logged_model` is the logged model it was made from,
    empty for a copy. `is_requested` is true while a tag requests something for it.
    """

    name: str
    version: str
    digest: str
    made_at: str
    aliases: tuple[str, ...]
    files: str
    logged_model: str
    is_requested: bool = False


def all_versions(client: MlflowClient) -> list[RegisteredVersion]:
    """Return every version of every registered model, whoever registered it; by name, lowest version first."""
    aliases: dict[tuple[str, str], list[str]] = {}
    for model in _pages(client.search_registered_models):
        for alias, number in model.aliases.items():
            aliases.setdefault((model.name, str(number)), []).append(alias)
    found = [
        RegisteredVersion(
            name=one.name,
            version=str(one.version),
            digest=one.tags.get(DIGEST_TAG, ""),
            made_at=datetime.fromtimestamp(one.creation_timestamp / 1000, UTC).isoformat(),
            aliases=tuple(aliases.get((one.name, str(one.version)), ())),
            files=client.get_model_version_download_uri(one.name, one.version),
            logged_model=one.source.removeprefix("models:/") if one.source.startswith(_LOGGED) else "",
            is_requested=REQUEST_TAG in one.tags,
        )
        for one in _pages(client.search_model_versions)
    ]
    return sorted(found, key=lambda one: (one.name, int(one.version)))


def delete_version(client: MlflowClient, version: RegisteredVersion, files_of_others: Collection[str]) -> None:
    """Delete a registered version; its files first, unless another version shares them.

    A deletion that was killed is completed by the next call.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    if version.files not in files_of_others:
        get_artifact_repository(version.files).delete_artifacts()
        if version.logged_model:
            try:
                client.delete_logged_model(version.logged_model)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
    client.delete_model_version(version.name, version.version)


def forget_models(client: MlflowClient, project: str, environment: str) -> None:
    """Delete the models and runs of a temporary environment."""
    versions = [v for v in all_versions(client) if v.name.startswith(f"{environment}.{project}.")]
    others = {v.files for v in all_versions(client) if v not in versions}
    for version in versions:
        delete_version(client, version, others)
    for name in sorted({version.name for version in versions}):
        client.delete_registered_model(name)
    experiment = client.get_experiment_by_name(f"{project}/{environment}")
    if experiment is not None and experiment.lifecycle_stage == "active":
        # MLflow keeps a deleted experiment and its name, under which no other can then be created
        client.rename_experiment(experiment.experiment_id, f"{experiment.name} until {experiment.last_update_time}")
        client.delete_experiment(experiment.experiment_id)


def _pages(search: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(page_token=token)
        yield from page
        token = page.token
        if not token:
            return
