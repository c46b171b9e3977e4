"""Anchors in the registry: a tag of the environment's MLflow experiment records the last event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused, SystemFailed
from dataops_platform.kit.faults import fault_point
from dataops_platform.manifests.history import ever_showed_a_model
from dataops_platform.release.audit.witnesses import anchor_faults
from dataops_platform.settings.project import Project
from dataops_platform.technologies.mlflow.tracking import experiment_name, open_tracking
from dataops_platform.warehouse import ledger
from dataops_platform.warehouse.anchors import Anchor
from dataops_platform.warehouse.lake import Lake

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG = "dataops.ledger"
"""The tag of the anchor: number and hash of an event, separated by a space."""


def anchor_in_registry(project: Project, lake: Lake) -> None:
    """Write the last event of the project's environment as an anchor in the registry. Idempotent.

    Does nothing, and does not load MLflow, when the environment never showed a model. Never overwrites an anchor that
    contradicts the ledger. Raises: Refused DP-L083 for such an anchor, SystemFailed DP-L085 for an unreadable tag.
    """
    environment = project.environment
    state = lake.state(environment)
    if not ever_showed_a_model(lake.events(environment)):
        return
    tracking = open_tracking(project)
    known = _anchors(tracking.client, project, environment)
    if [(one.sequence, one.hash) for one in known] == [(state.sequence, state.hash)]:
        return
    for fault in anchor_faults(ledger.read_rows(lake.connection, environment), known):
        raise Refused(
            "DP-L083",
            fault=fault,
            environment=environment,
            tag=TAG,
            experiment=experiment_name(project, environment),
        )
    fault_point("reconcile.before_anchor")
    tracking.client.set_experiment_tag(tracking.experiment_id, TAG, f"{state.sequence} {state.hash}")


def registry_anchor(project: Project, environment: str) -> list[Anchor]:
    """Return the anchor of an environment in the registry; empty when there is none.

    Raises: SystemFailed DP-L085 for an unreadable tag, DP-L084 for a registry that does not answer.
    """
    if not _has_registry(project):
        return []
    try:
        return _anchors(open_tracking(project).client, project, environment)
    except SystemFailed:
        raise
    except Exception as error:
        message = " ".join(str(error).split())[:200]
        raise SystemFailed("DP-L084", reason=message) from error


def _anchors(client: MlflowClient, project: Project, environment: str) -> list[Anchor]:
    experiment = client.get_experiment_by_name(experiment_name(project, environment))
    tag = experiment.tags.get(TAG, "") if experiment else ""
    sequence, _, digest = tag.partition(" ")
    if tag and not (sequence.isdigit() and digest):
        raise SystemFailed("DP-L085", tag=TAG, experiment=experiment.name, value=tag)
    return [Anchor(environment, int(sequence), digest, "the registry")] if tag else []


def _has_registry(project: Project) -> bool:
    kind, _, rest = project.settings.mlflow.tracking.partition(":")
    return kind != "sqlite" or (project.home / rest).exists()
