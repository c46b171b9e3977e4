"""Make a project: a working pipeline with contracts, tests and three environments, to be changed into yours.

Example: dataops init my-shop --no-input
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataops_platform.cli.options import AsJson
from dataops_platform.cli.output import console, print_json, reports_errors, show_error
from dataops_platform.kit.errors import UsedWrongly

if TYPE_CHECKING:
    from dataops_platform.template.questions import TemplateQuestion


@reports_errors
def init(
    name: Annotated[str | None, typer.Argument(help="The project's name, as my-shop.")] = None,
    team: Annotated[str | None, typer.Option(help="The team that owns its data.")] = None,
    catalog: Annotated[str | None, typer.Option(help="The lake's catalog: sqlite or postgres.")] = None,
    ci: Annotated[str | None, typer.Option(help="The CI that tests and promotes it: github, gitlab or none.")] = None,
    deployment: Annotated[str | None, typer.Option(help="The deployment: none (it runs here).")] = None,
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Ask nothing: take the default answer to each question.")
    ] = False,
    into: Annotated[Path, typer.Option(help="The folder to make it in.", show_default="here")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Ask the questions that no option answers, and make the project's folder."""
    from dataops_platform.template.bake import bake
    from dataops_platform.template.origin import add_package_source
    from dataops_platform.template.questions import checked_answer, questions

    def is_asked(question: TemplateQuestion) -> bool:
        return not no_input and len(question.choices) != 1

    options = {"name": name, "team": team, "catalog": catalog, "ci": ci, "deployment": deployment}
    answers = {
        question.name: _ask(question)
        if (given := options[question.name]) is None and is_asked(question)
        else question.default
        if given is None
        else checked_answer(question, given)
        for question in questions()
    }
    folder = bake(answers, into)
    add_package_source(folder)
    if as_json:
        print_json({"folder": str(folder), **answers})
        return
    console().print(f"{folder} is made\nnext: cd {folder} && make run   then: make test, make up", markup=False)


def _ask(question: TemplateQuestion) -> str:
    """Ask a question until the answer is valid, and return it."""
    from dataops_platform.template.questions import checked_answer

    out = console(stderr=True)
    for choice, label in question.choices.items():
        out.print(f"  {choice:<10} {label}", markup=False)
    while True:
        try:
            answer = typer.prompt(question.prompt, default=question.default, err=True)
        except typer.Abort:
            raise UsedWrongly("DP-N005", question=question.prompt) from None
        try:
            return checked_answer(question, answer.strip())
        except UsedWrongly as error:
            show_error(error.code, str(error), error.exit_code, as_json=False)
