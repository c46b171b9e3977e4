"""Makes what follows the ledger equal to it, for one environment: after a switch, and whenever somebody changed it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.errors import DataOpsError, SystemFailed
from dataops_platform.manifests.events import Reconciliation
from dataops_platform.release.audit.registry_anchor import anchor_in_registry
from dataops_platform.release.reconciliation.code_follows import look_at_code
from dataops_platform.release.reconciliation.drift import Unequal
from dataops_platform.release.reconciliation.model_aliases import look_at_models
from dataops_platform.settings.environ import actor
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.process_lock import alone
from dataops_platform.warehouse.state import State

Part = Callable[[Project, Lake, State], Sequence[Unequal]]
"""Looks at one thing that follows the ledger, and changes nothing; what it gives is put right afterwards."""

PARTS: tuple[Part, ...] = (look_at_models, look_at_code)


@dataclass(frozen=True)
class Reconciled:
    """What was made to follow the ledger, and what somebody else's hand had changed and is as it was again."""

    made: tuple[str, ...] = ()
    put_right: tuple[str, ...] = ()
    failed: str = ""

    def to_plain(self) -> dict[str, Any]:
        """The record as JSON-like values."""
        return {"made": list(self.made), "put_right": list(self.put_right), "failed": self.failed}


def reconcile(project: Project, lake: Lake) -> Reconciled:
    """Makes everything that follows the ledger equal to what the project's environment shows; can be repeated.

    One process at a time. What somebody else's hand had changed is an event `reconcile` of the ledger, which is
    written first: it is said twice rather than never when the process dies. At the end the registry remembers the last
    event of the ledger.
    Raises: Refused DP-L083 when it remembers another; SystemFailed DP-M015 when something outside fails; what is
    missing is done the next time.
    """
    with alone(project, lake, "reconcile"):
        try:
            state = lake.state(project.environment)
            found = [unequal for part in PARTS for unequal in part(project, lake, state)]
            put_right = tuple(unequal.said for unequal in found if unequal.by_hand)
            if put_right:
                lake.note(project.environment, Reconciliation(actor=actor(), found=put_right))
            for unequal in found:
                unequal.put_right()
            anchor_in_registry(project, lake)
        except DataOpsError:
            raise
        except Exception as error:
            raise SystemFailed(
                "DP-M015",
                environment=project.environment,
                reason=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
            ) from error
    return Reconciled(tuple(unequal.said for unequal in found if not unequal.by_hand), put_right)


def follow_switch(project: Project, lake: Lake) -> Reconciled:
    """Reconciles after a switch, which stands whatever becomes of this: a failure is told in what it gives."""
    try:
        return reconcile(project, lake)
    except DataOpsError as error:
        return Reconciled(failed=str(error))
