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
    name: Annotated[str | None, typer.Argument(help="What the project is called, as my-shop.")] = None,
    team: Annotated[str | None, typer.Option(help="The team that owns its data.")] = None,
    catalog: Annotated[str | None, typer.Option(help="sqlite or postgres: where the lake's catalog is.")] = None,
    ci: Annotated[str | None, typer.Option(help="github, gitlab or none: what checks and promotes it.")] = None,
    deployment: Annotated[str | None, typer.Option(help="none: it runs here.")] = None,
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Ask nothing: the first answer to each question.")
    ] = False,
    into: Annotated[Path, typer.Option(help="The folder to make it in.", show_default="here")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Asks what was not said, and makes the project's folder."""
    with errors_shown(as_json):
        from dataops_platform.template.bake import bake
        from dataops_platform.template.origin import take_this_package
        from dataops_platform.template.questions import checked, questions

        def asks(question: Question) -> bool:
            return not no_input and len(question.choices) != 1

        said = {"name": name, "team": team, "catalog": catalog, "ci": ci, "deployment": deployment}
        answers = {
            question.name: _ask(question)
            if (given := said[question.name]) is None and asks(question)
            else question.default
            if given is None
            else checked(question, given)
            for question in questions()
        }
        folder = bake(answers, into)
        take_this_package(folder)
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
        try:
            answer = typer.prompt(question.prompt, default=question.default, err=True)
        except typer.Abort:
            raise UsedWrongly("DP-N005", question=question.prompt) from None
        try:
            return checked(question, answer.strip())
        except UsedWrongly as error:
            show_error(error.code, str(error), error.exit_code, as_json=False)
