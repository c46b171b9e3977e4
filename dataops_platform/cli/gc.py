"""Delete what no retained state uses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dataops_platform.cli.options import AsJson, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors
from dataops_platform.cli.session import session_in


@reports_errors
def gc(
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without this, only show what would be deleted.")] = False,
    keep: Annotated[
        int | None, typer.Option(help="Retain the states of this many last releases of each environment; default 10.")
    ] = None,
    keep_days: Annotated[
        int | None, typer.Option(help="Retain all that was shown within this many days; default 90.")
    ] = None,
    inputs: Annotated[
        bool, typer.Option("--inputs", help="Retain also the raw tables that retained states were made from.")
    ] = False,
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Delete versions of tables, their files and models that no retained state uses. Without --yes it changes nothing.

    What an environment shows, what a build area holds and what a view is pinned to always stays. When only one of
    --keep and --keep-days is given, only that one counts.

    Example: dataops gc --keep 5 --keep-days 30
    """
    from dataops_platform.release.retention.garbage import collect, look
    from dataops_platform.release.retention.policy import retention_of

    retention = retention_of(keep, keep_days, inputs=inputs)
    with session_in(project, read_only=not yes) as session:
        garbage = (collect if yes else look)(session, retention)
    if as_json:
        print_json({"done": yes, **garbage.to_plain()})
        return
    _print_garbage(garbage, yes)


def _print_garbage(garbage: Any, done: bool) -> None:
    out = console()
    rows = [
        {
            "environment": name,
            "states_kept": garbage.kept.get(name, 0),
            "states_given_up": len(garbage.states.get(name, ())),
        }
        for name in sorted({*garbage.kept, *garbage.states})
    ]
    if rows:
        print_table(rows, ["environment", "states_kept", "states_given_up"])
    counts = (
        f"{len(garbage.snapshots)} versions of the lake, {garbage.files.count} files "
        f"({garbage.files.size_bytes / 1e6:.1f} MB), {len(garbage.models)} model versions"
    )
    out.print(f"collected {counts}" if done else f"would collect {counts}", markup=False)
    for model in garbage.models:
        out.print(f"  {model.name} version {model.version}", markup=False)
    if not done:
        out.print("nothing was changed; to do it: add --yes", markup=False)
