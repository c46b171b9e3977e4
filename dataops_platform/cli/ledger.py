"""Read the ledger of an environment, and verify it.

Example: dataops ledger list --env prod
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataops_platform.cli.options import AsJson, Environment, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors
from dataops_platform.cli.session import session_in
from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.record import plain_of
from dataops_platform.manifests.cut import member_row
from dataops_platform.manifests.events import Event, Move, read_event

if TYPE_CHECKING:
    from dataops_platform.warehouse.session import Session

ledger = typer.Typer(help=__doc__, no_args_is_help=True)


@ledger.command("list")
@reports_errors
def list_(
    env: Environment = "",
    last: Annotated[int, typer.Option(help="The number of events, counted from the newest.", min=1)] = 20,
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """List the last events of an environment, the newest first.

    Example: dataops ledger list --env prod --last 5
    """
    from dataops_platform.warehouse.ledger import read_rows

    with _ledger_of(project, env) as (session, environment):
        rows = read_rows(session.lake.connection, environment, last)
    if as_json:
        print_json([json.loads(row.body) for row in reversed(rows)])
        return
    events = [read_event(row.body) for row in reversed(rows)]
    columns = ["event", "at", "kind", "actor", "release", "publication", "held", "about"]
    print_table([_line(event) for event in events], columns)


@ledger.command("show")
@reports_errors
def show(
    event: Annotated[int | None, typer.Argument(help="An event's number; the last when not given.", min=1)] = None,
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show one event with all its fields.

    Example: dataops ledger show 3 --env prod
    """
    with _ledger_of(project, env) as (session, environment):
        events = {one.sequence: one for one in session.lake.events(environment)}
        wanted = event or max(events, default=0)
        if wanted not in events:
            if not events:
                raise UsedWrongly("DP-L086", environment=environment)
            raise UsedWrongly("DP-L044", environment=environment, event=wanted, last=max(events))
        one = events[wanted]
        members = [member_row(member) for member in session.lake.cut(one).members] if isinstance(one, Move) else []
    plain = plain_of(one)
    if as_json:
        print_json({**plain, "members": members} if members else plain)
        return
    out = console()
    for key, value in sorted({**plain, "actor": str(one.who)}.items()):
        out.print(f"{key:<14} {value if isinstance(value, str | int) else json.dumps(value)}", markup=False)
    if members:
        print_table(members, list(members[0]), "cut")


@ledger.command("verify")
@reports_errors
def verify(env: Environment = "", project: ProjectFolder = Path(), as_json: AsJson = False) -> None:
    """Verify each event, the chain, its head, and the witnesses outside the lake; for all environments, or one.

    Ends with 1 and the first bad event when the ledger was written by anything but the platform.

    Example: dataops ledger verify
    """
    from dataops_platform.release.audit.registry_anchor import registry_anchor
    from dataops_platform.release.audit.verify import refuse_faults
    from dataops_platform.release.audit.verify import verify as verify_all

    with _ledger_of(project, env) as (session, _):
        witness = partial(registry_anchor, session.project)
        verified = verify_all(session.lake, env, witness, session.project.settings.environments)
    if as_json and not any(one.faults for one in verified):
        print_json([one.__dict__ for one in verified])
    refuse_faults(verified)
    if not as_json:
        print_table([one.__dict__ for one in verified], ["environment", "events", "anchored", "signed"], "whole")


@ledger.command("head")
@reports_errors
def head(env: Environment = "", project: ProjectFolder = Path(), as_json: AsJson = False) -> None:
    """Show the last event, its hash and its signer; the hash stands for the whole ledger.

    Example: dataops ledger head --env prod
    """
    from dataops_platform.kit.signatures import ALLOWED_SIGNERS
    from dataops_platform.release.audit.witnesses import UNSIGNED, signer
    from dataops_platform.warehouse.ledger import read_rows

    with _ledger_of(project, env) as (session, environment):
        state, rows = session.lake.state(environment), read_rows(session.lake.connection, environment, 1)
    signed = signer(rows[-1], session.project.root / ALLOWED_SIGNERS) if rows else UNSIGNED
    last = {"environment": state.environment, "event": state.sequence, "hash": state.hash, "signature": signed}
    if as_json:
        print_json(last)
        return
    console().print(f"{state.environment} event {state.sequence} {state.hash or '(no ledger)'} {signed}", markup=False)


@contextmanager
def _ledger_of(folder: Path, env: str) -> Iterator[tuple[Session, str]]:
    """Yield a session, and the environment's name, which may be that of a dropped branch: its ledger stays."""
    with session_in(folder, read_only=True) as session:
        environment = env or session.environment
        if environment not in session.lake.environments():
            session.at(environment)
        yield session, environment


def _line(event: Event) -> dict[str, Any]:
    plain = plain_of(event)
    about = {key: plain[key] for key in ("plan", "to", "built", "run", "origin") if plain.get(key)}
    return {
        "event": event.sequence,
        "at": event.at[:19],
        "kind": event.kind,
        "actor": str(event.who),
        "release": short(event.release),
        "publication": short(event.publication),
        "held": event.held,
        "about": ", ".join(f"{key} {short(str(value))}" for key, value in about.items()),
    }
