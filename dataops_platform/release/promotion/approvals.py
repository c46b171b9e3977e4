"""Approvals of plans: events in the ledger of the environment, signed or not authenticated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dataops_platform.kit.actor import Actor
from dataops_platform.kit.errors import LostRace, Refused
from dataops_platform.kit.git import is_as_committed
from dataops_platform.kit.signatures import ALLOWED_SIGNERS, is_signed_by, principals_of, sign
from dataops_platform.manifests import events
from dataops_platform.release.promotion.plan import Plan
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.ledger import read_rows
from dataops_platform.warehouse.session import Session


@dataclass(frozen=True)
class CheckedApproval:
    """Who approved a plan, when (ISO format, UTC) and why. `problem` is why the approval is not valid, or empty.

    Only a signature authenticates. Without one, the name is that of the process' user, or declared.
    """

    by: str
    at: str
    why: str
    is_signed: bool
    is_declared: bool
    problem: str = ""

    def __str__(self) -> str:
        if self.is_signed:
            return f"{self.by} (signed)"
        return f"{self.by} ({'declared, ' if self.is_declared else ''}not authenticated)"


def approve(session: Session, plan: Plan, why: str = "", key: Path | None = None) -> CheckedApproval:
    """Approve a plan: with a signature over its id by the private key in a file, or in the actor's name.

    Idempotent: an equal valid approval is returned, and no event is written. The gate decides whether it counts.
    Raises: LostRace DP-L020 when the environment was promoted or rolled back since the plan; Refused DP-L021 when
    `allowed_signers` does not have the key, DP-L081 when that file is missing or not as committed; UsedWrongly DP-L022
    when the key cannot sign.
    """
    project, lake, actor = session.project, session.lake, session.actor
    state = lake.state(plan.environment)
    if state.pointer != plan.pointer:
        raise LostRace("DP-L020", plan=plan, environment=plan.environment, event=state.pointer)
    signature = sign(key, plan.id) if key else ""
    by = _signer(project, actor, plan.id, signature) if signature else actor.name
    for known in approvals(project, lake, plan.environment, plan.id):
        if (known.by, known.is_signed, known.problem) == (by, bool(signature), ""):
            return known
    event = events.Approval(
        **events.by(actor), by=by, plan=plan.id, approved=plan.release, why=why, signature=signature
    )
    noted = lake.note(plan.environment, event).event
    return CheckedApproval(by, noted.at if noted else "", why, bool(signature), _is_declared(event))


def approvals(project: Project, lake: Lake, environment: str, plan: str) -> list[CheckedApproval]:
    """Return the approvals of a plan, valid or not, oldest first; only events that the ledger's head vouches for."""
    known = [e for e in vouched_for(lake, environment) if isinstance(e, events.Approval)]
    found = [event for event in known if event.plan == plan]
    problem = why_no_signatures(project) if any(event.signature for event in found) else ""
    return [_approval(project, event, problem) for event in found]


def vouched_for(lake: Lake, environment: str) -> list[events.Event]:
    """Return the events since the environment was last promoted or rolled back, oldest first; only of an intact chain.

    The chain is followed from the head back by the hashes of previous events. It does not reach an edited event, nor
    those before it.
    """
    state = lake.state(environment)
    known = {events.hash_of(row.body): row.body for row in read_rows(lake.connection, environment)}
    found, at = list[events.Event](), state.hash
    while at in known:
        event = events.read_event(known[at])
        if event.sequence <= state.pointer:
            break
        found.append(event)
        at = event.previous
    return found[::-1]


def why_no_signatures(project: Project) -> str:
    """Return why no signature can be valid in this project; empty when signatures can be."""
    path = project.root / ALLOWED_SIGNERS
    if not path.is_file():
        return f"there is no file {ALLOWED_SIGNERS} beside dataops.yaml"
    if not is_as_committed(path):
        return f"{ALLOWED_SIGNERS} is not as it is committed"
    return ""


def same_person(one: str, other: str) -> bool:
    """Return whether two names belong to one person: `ann` is `ann@example.org`."""
    return one == other or one.partition("@")[0] == other.partition("@")[0]


def _approval(project: Project, event: events.Approval, problem: str) -> CheckedApproval:
    signature = event.signature
    if signature and not problem:
        good = is_signed_by(event.by, event.plan, signature, project.root / ALLOWED_SIGNERS)
        problem = "" if good else f"{ALLOWED_SIGNERS} knows no such signature of this plan"
    declared = _is_declared(event)
    return CheckedApproval(event.by, event.at, event.why, bool(signature), declared, problem if signature else "")


def _is_declared(event: events.Approval) -> bool:
    return not event.signature and event.who.is_declared


def _signer(project: Project, actor: Actor, text: str, signature: str) -> str:
    """Return the principal of a signature: the actor's own name if it has the key, else the first that has.

    Raises: Refused DP-L081, DP-L021.
    """
    problem = why_no_signatures(project)
    if problem:
        raise Refused("DP-L081", reason=problem, signers=ALLOWED_SIGNERS)
    signers = project.root / ALLOWED_SIGNERS
    names: Sequence[str] = [actor.name, *principals_of(signature, signers)]
    found = next((name for name in names if is_signed_by(name, text, signature, signers)), "")
    if not found:
        raise Refused("DP-L021", signers=ALLOWED_SIGNERS)
    return found
