"""Make something again, and see how equal it comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_platform.cli.options import AsJson, ProjectFolder
from dataops_platform.cli.output import console, errors_shown, print_json, print_table
from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.settings.project import load_project


def reproduce(
    what: Annotated[str, typer.Argument(help="The beginning of the id of a release, or of a Dagster run.")],
    level: Annotated[
        str, typer.Option(help="How equal each part must come out: bytes, content, predictions or tolerance.")
    ] = "content",
    env: Annotated[str, typer.Option("--env", help="Of a run: only what it made in this environment.")] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the environment that it is made again in.")] = False,
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Makes a release, or what a run made, again from the inputs it had, and says how equal each part came out.

    bytes: the same files. content: the same rows, the same model. predictions: a model that says the same of each row.
    tolerance: numbers that differ by no more than rounding does. Ends with 1 when a part came out less equal than
    asked for.

    Example: dataops reproduce 4f2a91 --level content
    """
    with errors_shown(as_json):
        from dataops_platform.release.reproduce.result import LEVELS
        from dataops_platform.release.reproduce.run import reproduce as make_again

        asked = next((known for known in LEVELS[:-1] if known == level), None)
        if asked is None:
            raise UsedWrongly("DP-L055", level=level, hint=did_you_mean(level, LEVELS[:-1]))
        found = load_project(project)
        out = console()

        def say(text: str) -> None:
            if not as_json:
                out.print(text, markup=False)

        made = make_again(found, what, environment=env, keep=keep, say=say)
        below = made.below(asked)
        if as_json:
            print_json({**made.to_plain(), "asked": asked, "reached": not below})
        else:
            print_table([part.__dict__ for part in made.parts], ["name", "kind", "level", "said"], made.of)
            say(f"{len(made.parts) - len(below)} of {len(made.parts)} parts reach the level {asked}")
            if keep:
                say(f"made in the environment {made.environment}: dataops status --env {made.environment}")
        if below:
            raise typer.Exit(1)
