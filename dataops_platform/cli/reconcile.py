"""Make MLflow's versions and aliases equal to the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataops_platform.cli.options import AsJson, ProjectFolder
from dataops_platform.cli.output import console, print_json, reports_errors, show_error
from dataops_platform.cli.session import session_in

if TYPE_CHECKING:
    from dataops_platform.release.reconciliation.reconcile import Reconciled


@reports_errors
def reconcile(
    environment: Annotated[str, typer.Argument(help="The environment.")],
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Make MLflow's versions and aliases equal to what an environment shows, and report what was changed by hand.

    Example: dataops reconcile prod
    """
    from dataops_platform.release.reconciliation.reconcile import reconcile as make_equal

    with session_in(project, environment) as session:
        done = make_equal(session)
    if as_json:
        print_json(done.to_plain())
        return
    print_reconciled(done)
    if not (done.made or done.put_right):
        console().print(f"all that follows {environment} is equal to it", markup=False)


def print_reconciled(done: Reconciled) -> None:
    """Print what was made equal, and what failed."""
    for line in done.made:
        console().print(line, markup=False)
    for line in done.put_right:
        console().print(f"changed by hand, and put right: {line}", markup=False)
    if done.failed:
        show_error("", done.failed, 0, as_json=False)
