"""The models registered in MLflow: validate new versions, answer requests made there.

Example: dataops registry answer --env prod
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataops_platform.cli.options import AsJson, Environment, ProjectFolder
from dataops_platform.cli.output import console, print_json, reports_errors
from dataops_platform.cli.session import project_with_its_code
from dataops_platform.settings.project import Project

if TYPE_CHECKING:
    from dataops_platform.release.registry.model_release import Runtime

registry = typer.Typer(help=__doc__, no_args_is_help=True)


@registry.command("validate")
@reports_errors
def validate(
    versions: Annotated[
        list[str] | None, typer.Argument(help="Versions as NAME:NUMBER; all new ones when not given.")
    ] = None,
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Validate new versions: files, signature, types, and the gates that need no approval. Ends with 1 when one fails.

    Example: dataops registry validate --env prod
    """
    from dataops_platform.release.registry.model_validation import validate_versions
    from dataops_platform.warehouse.session import open_session

    found = project_with_its_code(project, env)
    with open_session(found) as session:
        done = validate_versions(session, _code(found), versions or ())
    if as_json:
        print_json([one.__dict__ for one in done])
    for one in () if as_json else done:
        console().print(f"{one.version}: {'passed' if one.passed else 'failed'}", markup=False)
        for line in one.messages:
            console().print(f"  {line}", markup=False)
    if not all(one.passed for one in done):
        raise typer.Exit(1)


@registry.command("answer")
@reports_errors
def answer(env: Environment = "", project: ProjectFolder = Path(), as_json: AsJson = False) -> None:
    """Answer requests made in MLflow: the alias `candidate`, the tag `dataops.request=promote:ENVIRONMENT`.

    Example: dataops registry answer --env prod
    """
    from dataops_platform.release.registry.requests import answer_requests
    from dataops_platform.warehouse.session import open_session

    found = project_with_its_code(project, env)
    with open_session(found) as session:
        done = answer_requests(session, _code(found))
    if as_json:
        print_json([one.__dict__ for one in done])
        return
    for one in done:
        console().print(f"{one.version}, {one.asked}: {one.verdict}", markup=False)
        for line in one.messages:
            console().print(f"  {line}", markup=False)
    if not done:
        console().print("no open request", markup=False)


def _code(project: Project) -> Callable[[], Runtime]:
    def load() -> Runtime:
        from dataops_platform.orchestration.definitions import load_definitions
        from dataops_platform.orchestration.instance import open_instance
        from dataops_platform.release.registry.model_release import Runtime

        return Runtime(load_definitions(project), open_instance(project))

    return load
