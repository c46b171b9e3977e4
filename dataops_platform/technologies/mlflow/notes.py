"""Versions of models as people see and mark them in MLflow's pages: aliases, tags and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.technologies.mlflow.registry import registered, registered_below

if TYPE_CHECKING:
    from mlflow import MlflowClient

HEADING = "**dataops: "
MOST = 2000
"""Characters of a note; MLflow keeps 5000 of a description."""


@dataclass(frozen=True)
class Marked:
    """A version of a registered model, with what people and the platform wrote at it."""

    name: str
    version: str
    aliases: frozenset[str]
    tags: Mapping[str, str]
    description: str

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


def marked_versions(client: MlflowClient, prefix: str) -> list[Marked]:
    """All versions of the registered models whose names begin with `prefix`; by name, lowest first."""
    return [marked for name in registered_below(client, prefix) for marked in _versions(client, name)]


def marked_version(client: MlflowClient, name: str, version: str) -> Marked:
    """One version."""
    return next(marked for marked in _versions(client, name) if marked.version == version)


def _versions(client: MlflowClient, name: str) -> list[Marked]:
    aliases = registered(client, name).aliases
    found, token = [], None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        found += [
            Marked(
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


def write(client: MlflowClient, marked: Marked, tags: Mapping[str, str], heading: str, note: str) -> None:
    """Writes tags at a version, and a note under a heading of ours; what else its description says stays."""
    now = client.get_model_version(marked.name, marked.version).description or ""
    ours = f"{HEADING}{heading}**"
    others = [part for part in now.split("\n\n") if part.strip() and not part.startswith(ours)]
    told = f"{ours}\n{note}".replace("\n\n", "\n")[:MOST]
    client.update_model_version(marked.name, marked.version, "\n\n".join([*others, told]))
    for key, value in tags.items():
        client.set_model_version_tag(marked.name, marked.version, key, value)
