"""Anchors in the registry: a tag of the environment's MLflow experiment says the last event."""

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
"""Number and hash of an event, separated by a space."""


def anchor_in_registry(project: Project, lake: Lake) -> None:
    """Has the registry remember the last event of the project's environment. Can be repeated.

    Not where no model was ever shown: MLflow is not even loaded there. What it remembers otherwise than the ledger
    says is never written over. Raises: Refused DP-L083 naming that event; SystemFailed DP-L085 for a tag that is none.
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
    """What the registry remembers of an environment's ledger: one event, or none.

    Raises: SystemFailed DP-L085 for a tag that is none, DP-L084 for a registry that does not answer.
    """
    if not _has_registry(project):
        return []
    try:
        return _anchors(open_tracking(project).client, project, environment)
    except SystemFailed:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:200]
        raise SystemFailed("DP-L084", reason=said) from error


def _anchors(client: MlflowClient, project: Project, environment: str) -> list[Anchor]:
    experiment = client.get_experiment_by_name(experiment_name(project, environment))
    said = experiment.tags.get(TAG, "") if experiment else ""
    sequence, _, digest = said.partition(" ")
    if said and not (sequence.isdigit() and digest):
        raise SystemFailed("DP-L085", tag=TAG, experiment=experiment.name, value=said)
    return [Anchor(environment, int(sequence), digest, "the registry")] if said else []


def _has_registry(project: Project) -> bool:
    kind, _, rest = project.settings.mlflow.tracking.partition(":")
    return kind != "sqlite" or (project.home / rest).exists()
