"""Make a release or a run again, and compare the result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_platform.cli.options import AsJson, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors
from dataops_platform.cli.session import session_in
from dataops_platform.kit.errors import UsedWrongly, did_you_mean


@reports_errors
def reproduce(
    what: Annotated[str, typer.Argument(help="The beginning of the id of a release, or of a Dagster run.")],
    level: Annotated[
        str, typer.Option(help="How closely each part must match: bytes, content, predictions or tolerance.")
    ] = "content",
    env: Annotated[str, typer.Option("--env", help="For a run: only what it made in this environment.")] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Keep the temporary environment.")] = False,
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Make a release, or what a run made, again from its inputs, and report whether each table and model matches.

    bytes: equal files. content: equal rows, an equal model. predictions: a model that predicts the same for each row.
    tolerance: numbers that differ by rounding only. Ends with 1 when a part does not reach the level.

    Example: dataops reproduce 4f2a91 --level content
    """
    from dataops_platform.release.reproduce.result import LEVELS
    from dataops_platform.release.reproduce.run import reproduce as reproduce_parts

    asked = next((known for known in LEVELS[:-1] if known == level), None)
    if asked is None:
        raise UsedWrongly("DP-L055", level=level, hint=did_you_mean(level, LEVELS[:-1]))
    out = console()

    def say(text: str) -> None:
        if not as_json:
            out.print(text, markup=False)

    with session_in(project) as session:
        made = reproduce_parts(session, what, environment=env, keep=keep, say=say)
    below = made.below(asked)
    if as_json:
        print_json({**made.to_plain(), "asked": asked, "reached": not below})
    else:
        print_table([part.__dict__ for part in made.parts], ["name", "kind", "level", "message"], made.of)
        say(f"{len(made.parts) - len(below)} of {len(made.parts)} parts reach the level {asked}")
        if keep:
            say(f"made in the environment {made.environment}: dataops status --env {made.environment}")
    if below:
        raise typer.Exit(1)
