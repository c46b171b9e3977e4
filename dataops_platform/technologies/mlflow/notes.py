"""Versions of models as people see and mark them in MLflow's pages: aliases, tags and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.technologies.mlflow.registry import registered, registered_below

if TYPE_CHECKING:
    from mlflow import MlflowClient

HEADING = "**dataops: "
MAX_LENGTH = 2000
"""Characters of a note; MLflow keeps 5000 of a description."""


@dataclass(frozen=True)
class AnnotatedVersion:
    """A version of a registered model, with what people and the platform wrote at it."""

    name: str
    version: str
    aliases: frozenset[str]
    tags: Mapping[str, str]
    description: str

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


def annotated_versions(client: MlflowClient, prefix: str) -> list[AnnotatedVersion]:
    """All versions of the registered models whose names begin with `prefix`; by name, lowest first."""
    return [annotated for name in registered_below(client, prefix) for annotated in _versions(client, name)]


def annotated_version(client: MlflowClient, name: str, version: str) -> AnnotatedVersion:
    """One version."""
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
    """Writes tags at a version, and a note under a heading of ours; what else its description says stays."""
    now = client.get_model_version(annotated.name, annotated.version).description or ""
    title = f"{HEADING}{heading}**"
    others = [part for part in now.split("\n\n") if part.strip() and not part.startswith(title)]
    section = f"{title}\n{note}".replace("\n\n", "\n")[:MAX_LENGTH]
    client.update_model_version(annotated.name, annotated.version, "\n\n".join([*others, section]))
    for key, value in tags.items():
        client.set_model_version_tag(annotated.name, annotated.version, key, value)
