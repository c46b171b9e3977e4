"""Build and show releases.

Example: dataops release build
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_platform.cli.options import AsJson, Environment, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors
from dataops_platform.cli.session import project_with_its_code, session_in

release = typer.Typer(help=__doc__, no_args_is_help=True)


@release.command("build")
@reports_errors
def build(
    env: Environment = "",
    model: Annotated[
        str, typer.Option(help="MODEL@VERSION or MODEL@ALIAS: what is shown, with this newer model of the environment.")
    ] = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Freeze what an environment shows, with the code that made it. Equal contents give the same release.

    Example: dataops release build
    """
    from dataops_platform.orchestration.definitions import load_definitions
    from dataops_platform.orchestration.instance import open_instance
    from dataops_platform.release.build import build_release, shown
    from dataops_platform.release.registry.model_release import Runtime, build_model_release
    from dataops_platform.warehouse.session import open_session

    found = project_with_its_code(project, env)
    definitions = load_definitions(found)
    with open_session(found) as session:
        if model:
            with open_instance(found) as instance:
                built = build_model_release(session, Runtime(definitions, instance), model)
        else:
            built = build_release(session, definitions)
    if as_json:
        print_json(built.to_plain())
        return
    console().print(shown(built), markup=False)


@release.command("list")
@reports_errors
def list_(env: Environment = "", project: ProjectFolder = Path(), as_json: AsJson = False) -> None:
    """List all releases, the newest first, and the environments that show them.

    Example: dataops release list
    """
    from dataops_platform.release.release import releases_of

    with session_in(project, env, read_only=True) as session:
        known = releases_of(session.lake)
        states = {name: session.lake.state(name).release for name in session.lake.environments()}
    rows = [
        {
            "release": str(one),
            "commit": one.commit[:12] + (" (dirty)" if one.is_dirty else ""),
            "built_in": one.built_in,
            "built_at": one.built_at[:19],
            "built_by": one.built_by,
            "shown_by": ", ".join(name for name, shown in states.items() if shown == one.id),
        }
        for one in reversed(known)
    ]
    if as_json:
        print_json([{**row, "id": one.id} for row, one in zip(rows, reversed(known), strict=True)])
        return
    print_table(rows, ["release", "commit", "built_in", "built_at", "built_by", "shown_by"])


@release.command("at")
@reports_errors
def at(
    moment: Annotated[str, typer.Argument(help="A moment, as 2013-03-01T12:00, UTC.")],
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what an environment showed at a moment, since when, and the contents of its release.

    Example: dataops release at 2013-03-01T12:00 --env prod
    """
    show(at=moment, env=env, project=project, as_json=as_json)


@release.command("show")
@reports_errors
def show(
    name: Annotated[str, typer.Argument(help="The beginning of a release's id; the newest when not given.")] = "",
    at: Annotated[str | None, typer.Option(help="A moment, as 2013-03-01T12:00, UTC: what --env showed then.")] = None,
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show the contents of a release; with --at, what an environment showed at a moment, and since when.

    Example: dataops release show --at 2013-03-01T12:00 --env prod
    """
    from dataops_platform.kit.record import plain_of
    from dataops_platform.manifests.cut import member_row
    from dataops_platform.release.release import find_release
    from dataops_platform.warehouse.as_of import shown_at

    with session_in(project, env, read_only=True) as session:
        event = shown_at(session.lake, session.environment, at) if at is not None else None
        one = None if event and not event.release else find_release(session.lake, event.release if event else name)
    if as_json:
        print_json({"event": plain_of(event) if event else None, "release": one.to_plain() if one else None})
        return
    out = console()
    if event:
        out.print(
            f"{session.environment} showed publication {event.publication[7:19]} since {event.at[:19]}: "
            f"event {event.sequence}, {event.kind} by {event.who}",
            markup=False,
        )
    if one is None:
        out.print("under no release", markup=False)
        return
    out.print(f"release {one.id}", markup=False)
    for key in ("commit", "code", "lock", "dbt", "config"):
        out.print(f"  {key:<8} {getattr(one, key)}{' (dirty)' if key == 'commit' and one.is_dirty else ''}")
    versions = one.contract_versions
    print_table(
        [{**member_row(m), "contract": versions.get(m.name, ""), "digest": m.digest[-12:]} for m in one.cut.members],
        ["name", "kind", "rows", "digest", "contract", "area", "version"],
    )
