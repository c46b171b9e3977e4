"""Create, list and drop branch environments, which dataops.yaml does not list.

Example: dataops env create pr_12 --from prod
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_platform.cli.options import AsJson, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors
from dataops_platform.cli.session import session_in

env = typer.Typer(help=__doc__, no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The branch environment's name, as pr_12.")]


@env.command("create")
@reports_errors
def create(
    name: NameArgument,
    origin: Annotated[str, typer.Option("--from", help="The environment it starts from.")] = "prod",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Create an environment that shows what another shows, and reads that where it has built nothing itself.

    Example: dataops env create pr_12 --from prod
    """
    from dataops_platform.release.environments.branch import create_branch

    with session_in(project) as session:
        state, is_new = create_branch(session, name, origin)
    if as_json:
        print_json({"environment": name, "from": origin, "new": is_new, "publication": state.publication})
        return
    outcome = "made from" if is_new else "is there already, made from"
    console().print(
        f"{name} {outcome} {origin}: publication {state.publication[7:19]}\nnext: dataops run --env {name}",
        markup=False,
    )


@env.command("list")
@reports_errors
def list_(project: ProjectFolder = Path(), as_json: AsJson = False) -> None:
    """List all environments, where their releases come from, and what they show.

    Example: dataops env list
    """
    from dataops_platform.release.environments.branch import environments

    with session_in(project, read_only=True) as session:
        rows = environments(session.project, session.lake)
    if as_json:
        print_json(rows)
        return
    shown = [{**row, "release": row["release"][7:19], "publication": row["publication"][7:19]} for row in rows]
    print_table(shown, ["environment", "kind", "from", "schedule", "release", "publication", "held"])


@env.command("drop")
@reports_errors
def drop(name: NameArgument, project: ProjectFolder = Path(), as_json: AsJson = False) -> None:
    """Drop a branch environment with its tables, views and models. Its ledger stays.

    Example: dataops env drop pr_12
    """
    from dataops_platform.release.environments.branch import drop_branch

    with session_in(project) as session:
        dropped = drop_branch(session, name)
    if as_json:
        print_json(dropped.__dict__)
        return
    outcome = "dropped" if dropped.was_there else "was dropped before"
    console().print(f"{name} {outcome}; models: {dropped.models}; its ledger stays", markup=False)
