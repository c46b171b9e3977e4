"""Aliases, tags and notes of model versions, as people see and edit them in MLflow's pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.technologies.mlflow.registry import registered, registered_below

if TYPE_CHECKING:
    from mlflow import MlflowClient

HEADING = "**dataops: "
MAX_LENGTH = 2000
"""The longest note, in characters; MLflow keeps 5000 of a description."""


@dataclass(frozen=True)
class AnnotatedVersion:
    """A version of a registered model, with the aliases, tags and description that people and the platform gave it."""

    name: str
    version: str
    aliases: frozenset[str]
    tags: Mapping[str, str]
    description: str

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


def annotated_versions(client: MlflowClient, prefix: str) -> list[AnnotatedVersion]:
    """Return all versions of the registered models whose names begin with `prefix`; by name, lowest version first."""
    return [annotated for name in registered_below(client, prefix) for annotated in _versions(client, name)]


def annotated_version(client: MlflowClient, name: str, version: str) -> AnnotatedVersion:
    """Return one version of a registered model."""
    return next(annotated for annotated in _versions(client, name) if annotated.version == version)


def _versions(client: MlflowClient, name: str) -> list[AnnotatedVersion]:
    aliases = registered(client, name).aliases
    found, token = [], None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        found += [
            AnnotatedVersion(
                name,
                str(one.version),
                frozenset(alias for alias, number in aliases.items() if number == str(one.version)),
                dict(one.tags),
                one.description or "",
            )
            for one in page
        ]
        token = page.token
        if not token:
            return sorted(found, key=lambda one: int(one.version))


def write_note(
    client: MlflowClient, annotated: AnnotatedVersion, tags: Mapping[str, str], heading: str, note: str
) -> None:
    """Write tags on a version, and a note under a heading of the platform. The rest of its description stays."""
    now = client.get_model_version(annotated.name, annotated.version).description or ""
    title = f"{HEADING}{heading}**"
    others = [part for part in now.split("\n\n") if part.strip() and not part.startswith(title)]
    section = f"{title}\n{note}".replace("\n\n", "\n")[:MAX_LENGTH]
    client.update_model_version(annotated.name, annotated.version, "\n\n".join([*others, section]))
    for key, value in tags.items():
        client.set_model_version_tag(annotated.name, annotated.version, key, value)
