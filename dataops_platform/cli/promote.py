"""Plan a promotion, approve it, apply it, and roll back."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataops_platform.cli.options import AsJson, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_page, reports_errors
from dataops_platform.cli.reconcile import print_reconciled
from dataops_platform.cli.session import session_in
from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.kit.record import plain_of

if TYPE_CHECKING:
    from dataops_platform.release.reconciliation.reconcile import Reconciled
    from dataops_platform.warehouse.state import State

TargetOption = Annotated[str, typer.Option("--to", help="The environment to move.")]
WantedArgument = Annotated[
    str,
    typer.Argument(help="The beginning of a release's id; by default the release of the environment in `from`."),
]


@reports_errors
def plan(
    to: TargetOption,
    release: WantedArgument = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")] = False,
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what promoting a release changes, and the result of each gate; ends with 1 when a gate fails. Changes
    nothing.

    Example: dataops plan --to staging
    """
    from dataops_platform.release.promotion.plan_page import as_markdown, page_of
    from dataops_platform.release.promotion.promote import propose, release_for

    with session_in(project, to) as session:
        made = propose(session, release_for(session, release))
    if as_json:
        print_json(made.to_plain())
    elif markdown:
        print(as_markdown(made))
    else:
        print_page(page_of(made))
    if not made.passes:
        raise typer.Exit(Refused.exit_code)


@reports_errors
def approve(
    plan: Annotated[str, typer.Argument(help="The beginning of a plan's id, as `dataops plan` prints it.")],
    why: Annotated[str, typer.Option(help="The reason, which the ledger keeps.")] = "",
    sign: Annotated[
        Path | None,
        typer.Option(help="An SSH private key that signs the plan's id; `allowed_signers` lists its owner."),
    ] = None,
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Approve a plan, in your own name or signed with your SSH key.

    Example: dataops approve 3f9c2a81d0b4 --why "looked at the rows" --sign ~/.ssh/id_ed25519
    """
    from dataops_platform.release.promotion.approvals import approve as record_approval
    from dataops_platform.release.promotion.promote import find_plan

    with session_in(project) as session:
        known = find_plan(session.lake, plan)
        given = record_approval(session.at(known.environment), known, why, sign)
    if as_json:
        print_json({"plan": known.id, "environment": known.environment, **given.__dict__})
        return
    console().print(f"{given} approved plan {known} of {known.environment}", markup=False)


@reports_errors
def promote(
    to: TargetOption,
    release: WantedArgument = "",
    plan: Annotated[str | None, typer.Option(help="The beginning of a plan's id: apply exactly this plan.")] = None,
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Move an environment to a release when every gate passes: code, data, models and contracts, in one switch.

    Example: dataops promote --to staging
    """
    from dataops_platform.release.promotion.promote import find_plan, propose, release_for, unreleased
    from dataops_platform.release.promotion.promote import promote as apply_plan
    from dataops_platform.release.reconciliation.reconcile import follow_switch

    with session_in(project, to) as session:
        # an empty --plan (an unset variable in a script) must not mean "make a plan now": nobody approved that
        made = propose(session, release_for(session, release)) if plan is None else find_plan(session.lake, plan)
        before = session.lake.state(to)
        state = apply_plan(session, made)
        followed = follow_switch(session)
        newer = unreleased(session, made.release) if state.sequence == before.sequence else ""
    _print_state(state, as_json, followed)
    if state.sequence == before.sequence and not as_json:
        console().print(f"nothing was moved: {to} already shows this state{newer}", markup=False)


@reports_errors
def rollback(
    environment: Annotated[str, typer.Argument(help="The environment to move back.")],
    to: Annotated[
        str | None,
        typer.Option(
            help="An event's number, or the beginning of a release or publication; fewer than six digits are a number."
        ),
    ] = None,
    data: Annotated[
        bool, typer.Option("--data", help="Only the data: the previous publication, same release.")
    ] = False,
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show an earlier state again: its code, data, models and contracts. Nothing is published until `resume`.

    Example: dataops rollback prod
    """
    from dataops_platform.release.promotion.preflight import refuse_other_models
    from dataops_platform.release.promotion.switch import roll_back
    from dataops_platform.release.reconciliation.reconcile import follow_switch

    if to is not None and data:
        raise UsedWrongly("DP-L078")
    if to == "":
        raise UsedWrongly("DP-L079")
    with session_in(project, environment) as session:
        prepare = partial(refuse_other_models, session.project)
        state = roll_back(session, to or "", data=data, prepare=prepare)
        followed = follow_switch(session)
    _print_state(state, as_json, followed)


@reports_errors
def resume(
    environment: Annotated[str, typer.Argument(help="The environment that was held.")],
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Let an environment publish again after a rollback.

    Example: dataops resume prod
    """
    from dataops_platform.release.promotion.switch import resume as resume_environment

    with session_in(project, environment) as session:
        state = resume_environment(session)
    _print_state(state, as_json)


def _print_state(state: State, as_json: bool, followed: Reconciled | None = None) -> None:
    if as_json:
        event = plain_of(state.event) if state.event else {}
        print_json({**event, "reconcile": followed.to_plain()} if followed else event)
        return
    held = ", held until it is resumed" if state.held else ""
    console().print(
        f"{state.environment} shows release {state.release[7:19] or 'none'}, publication {state.publication[7:19]}"
        f"{held} (event {state.sequence})",
        markup=False,
    )
    if followed:
        print_reconciled(followed)
