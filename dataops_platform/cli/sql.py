"""Query what an environment shows, in SQL, read-only.

Example: dataops sql "select carrier, count(*) as flights from flights group by all order by 2 desc" --env dev
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_platform.cli.options import AsJson, Environment, ProjectFolder
from dataops_platform.cli.output import print_json, print_table, reports_errors
from dataops_platform.settings.project import load_project


@reports_errors
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT. Tables without a schema are those the environment shows.")],
    env: Environment = "",
    project: ProjectFolder = Path(),
    limit: Annotated[int, typer.Option(help="Print at most this many rows.", min=1)] = 100,
    as_json: AsJson = False,
) -> None:
    """Print the rows of one query."""
    from dataops_platform.warehouse.open import lake_location
    from dataops_platform.warehouse.query import ask

    found = load_project(project, env)
    answer = ask(lake_location(found), found.environment, query, limit)
    if as_json:
        print_json(answer.rows)
        return
    print_table(answer.rows, answer.columns)
    if answer.more:
        typer.echo(f"… more than {limit} rows; see --limit", err=True)
