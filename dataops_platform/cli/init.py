"""Make a project: a green pipeline with contracts, tests and three environments, to be changed into yours.

Example: dataops init my-shop --no-input
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataops_platform.cli.options import AsJson
from dataops_platform.cli.output import console, errors_shown, print_json, show_error
from dataops_platform.kit.errors import UsedWrongly

if TYPE_CHECKING:
    from dataops_platform.template.questions import Question


def init(
    name: Annotated[str, typer.Argument(help="What the project is called, as my-shop.")] = "",
    team: Annotated[str, typer.Option(help="The team that owns its data.")] = "",
    catalog: Annotated[str, typer.Option(help="sqlite or postgres: where the lake's catalog is.")] = "",
    ci: Annotated[str, typer.Option(help="github, gitlab or none: what checks and promotes it.")] = "",
    deployment: Annotated[str, typer.Option(help="none: it runs here.")] = "",
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Ask nothing: the first answer to each question.")
    ] = False,
    into: Annotated[Path, typer.Option(help="The folder to make it in.", show_default="here")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Asks what was not said, and makes the project's folder."""
    with errors_shown(as_json):
        from dataops_platform.template.bake import bake
        from dataops_platform.template.questions import checked, questions

        said = {"name": name, "team": team, "catalog": catalog, "ci": ci, "deployment": deployment}
        answers = {
            question.name: checked(question, said[question.name])
            if said[question.name]
            else (question.default if no_input or len(question.choices) == 1 else _ask(question))
            for question in questions()
        }
        folder = bake(answers, into)
        if as_json:
            print_json({"folder": str(folder), **answers})
            return
        console().print(f"{folder} is made\nnext: cd {folder} && make run   then: make test, make up", markup=False)


def _ask(question: Question) -> str:
    """An answer that can be one: asked until it is."""
    from dataops_platform.template.questions import checked

    out = console(stderr=True)
    for choice, label in question.choices.items():
        out.print(f"  {choice:<10} {label}", markup=False)
    while True:
        answer = typer.prompt(question.prompt, default=question.default, err=True)
        try:
            return checked(question, answer.strip())
        except UsedWrongly as error:
            show_error(error.code, str(error), error.exit_code, as_json=False)
