"""Reconciles the registry and the pinned code of an environment with its ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.errors import DataOpsError, SystemFailed
from dataops_platform.manifests.events import Reconciliation, by
from dataops_platform.release.audit.registry_anchor import anchor_in_registry
from dataops_platform.release.reconciliation.code_follows import look_at_code
from dataops_platform.release.reconciliation.drift import Drift
from dataops_platform.release.reconciliation.model_aliases import look_at_models
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.process_lock import alone
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State

DriftFinder = Callable[[Project, Lake, State], Sequence[Drift]]
"""Returns the drift of one thing that follows the ledger, without changing anything."""

PARTS: tuple[DriftFinder, ...] = (look_at_models, look_at_code)


@dataclass(frozen=True)
class Reconciled:
    """The changes of a reconciliation: what now follows the ledger, and which changes by hand were reverted.

    `failed` is the message of the error that stopped it, or empty.
    """

    made: tuple[str, ...] = ()
    put_right: tuple[str, ...] = ()
    failed: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return the changes as a JSON-like record."""
        return {"made": list(self.made), "put_right": list(self.put_right), "failed": self.failed}


def reconcile(session: Session) -> Reconciled:
    """Make everything that follows the ledger equal to what the session's environment shows. Idempotent.

    Only one process reconciles an environment at a time. Changes by hand are recorded as an event `reconcile` of the
    ledger before they are reverted, so that a process that dies records them twice rather than never. At the end the
    last event of the ledger is anchored in the registry.
    Raises: Refused DP-L083 when the registry's anchor contradicts the ledger, SystemFailed DP-M015 when something
    outside the lake fails. The next call completes the work.
    """
    project, lake = session.project, session.lake
    with alone(project, lake, "reconcile"):
        try:
            state = lake.state(project.environment)
            found = [drift for part in PARTS for drift in part(project, lake, state)]
            put_right = tuple(drift.message for drift in found if drift.by_hand)
            if put_right:
                lake.note(project.environment, Reconciliation(**by(session.actor), found=put_right))
            for drift in found:
                drift.put_right()
            anchor_in_registry(project, lake)
        except DataOpsError:
            raise
        except Exception as error:
            raise SystemFailed(
                "DP-M015",
                environment=project.environment,
                reason=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
            ) from error
    return Reconciled(tuple(drift.message for drift in found if not drift.by_hand), put_right)


def follow_switch(session: Session) -> Reconciled:
    """Reconcile after a switch. The switch is final, so a failure is returned in `failed` and not raised."""
    try:
        return reconcile(session)
    except DataOpsError as error:
        return Reconciled(failed=str(error))
