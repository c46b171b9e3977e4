"""Approvals of plans: events in the ledger of the environment, signed, or declared and not authenticated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dataops_platform.kit.errors import LostRace, Refused
from dataops_platform.kit.git import is_as_committed
from dataops_platform.kit.signatures import ALLOWED_SIGNERS, is_signed_by, principals_of, sign
from dataops_platform.manifests import events
from dataops_platform.release.promotion.plan import Plan
from dataops_platform.settings.environ import actor
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.ledger import read_rows

DECLARED = "declared, not authenticated"


@dataclass(frozen=True)
class Approval:
    """Who said yes to a plan. `problem` says why it is none after all; empty when it is one."""

    by: str
    at: str
    why: str
    is_signed: bool
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.by} ({'signed' if self.is_signed else DECLARED})"


def approve(project: Project, lake: Lake, plan: Plan, why: str = "", key: Path | None = None) -> Approval:
    """Says yes to a plan: by a signature over its id with the private key in a file, else by the user's own name.

    Said twice it is one event. Whether it counts is for the gate to say, when it is asked.
    Raises: LostRace DP-L020 when the environment was pointed elsewhere since the plan; Refused DP-L021 when
    `allowed_signers` does not know the key; UsedWrongly DP-L022 when it cannot sign.
    """
    state = lake.state(plan.environment)
    if state.pointer != plan.pointer:
        raise LostRace("DP-L020", plan=plan, environment=plan.environment, event=state.pointer)
    signature = sign(key, plan.id) if key else ""
    by = _signer(project, plan.id, signature) if signature else actor()
    for known in approvals(project, lake, plan.environment, plan.id):
        if (known.by, known.is_signed, known.problem) == (by, bool(signature), ""):
            return known
    event = events.Approval(actor=actor(), by=by, plan=plan.id, approved=plan.release, why=why, signature=signature)
    noted = lake.note(plan.environment, event).event
    return Approval(by, noted.at if noted else "", why, bool(signature))


def approvals(project: Project, lake: Lake, environment: str, plan: str) -> list[Approval]:
    """All that was said about a plan, oldest first. Only events that the ledger's head vouches for are looked at."""
    known = [e for e in vouched_for(lake, environment) if isinstance(e, events.Approval)]
    found = [event for event in known if event.plan == plan]
    problem = why_no_signatures(project) if any(event.signature for event in found) else ""
    return [_approval(project, event, problem) for event in found]


def vouched_for(lake: Lake, environment: str) -> list[events.Event]:
    """The events since the environment was last pointed at a release, oldest first, as far as the chain holds.

    From the head back, each event names the digest of the one before: an event that was edited, and all before it,
    is not reached.
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
    """Why no signature can count here; empty when they can."""
    path = project.root / ALLOWED_SIGNERS
    if not path.is_file():
        return f"there is no file {ALLOWED_SIGNERS} beside dataops.yaml"
    if not is_as_committed(path):
        return f"{ALLOWED_SIGNERS} is not as it is committed"
    return ""


def same_person(one: str, other: str) -> bool:
    """Whether two names are those of one person: `ann` is `ann@example.org`."""
    return one == other or one.partition("@")[0] == other.partition("@")[0]


def _approval(project: Project, event: events.Approval, problem: str) -> Approval:
    signature = event.signature
    if signature and not problem:
        good = is_signed_by(event.by, event.plan, signature, project.root / ALLOWED_SIGNERS)
        problem = "" if good else f"{ALLOWED_SIGNERS} knows no such signature of this plan"
    return Approval(event.by, event.at, event.why, bool(signature), problem if signature else "")


def _signer(project: Project, text: str, signature: str) -> str:
    """The principal of a signature: the user's own name where the key is theirs under it, else the first."""
    problem = why_no_signatures(project)
    if problem:
        raise Refused("DP-L081", reason=problem, signers=ALLOWED_SIGNERS)
    signers = project.root / ALLOWED_SIGNERS
    names: Sequence[str] = [actor(), *principals_of(signature, signers)]
    found = next((name for name in names if is_signed_by(name, text, signature, signers)), "")
    if not found:
        raise Refused("DP-L021", signers=ALLOWED_SIGNERS)
    return found
