"""Show every stage: when it last succeeded, what runs, and what it waits for.

Example: dataops status
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_platform.cli.options import AsJson, Environment, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors
from dataops_platform.cli.session import project_and_session


@reports_errors
def status(
    html: Annotated[Path | None, typer.Option(help="Write the board to this file, as one page of HTML.")] = None,
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Print a line for each asset in the order of the stages, and one for what each environment shows or waits for."""
    from dataops_platform.kit.clock import utc_now
    from dataops_platform.orchestration.assets import project_assets
    from dataops_platform.orchestration.instance import open_instance
    from dataops_platform.status.board import board
    from dataops_platform.status.board_page import board_page, write_page
    from dataops_platform.status.pending import with_releases
    from dataops_platform.status.summary import summarize

    with project_and_session(project, env) as (found, session):
        assets = project_assets(found)
        with open_instance(found) as instance:
            lines = with_releases(session, board(assets, instance, utc_now()))
        summary = summarize(found, session.lake if session else None)
    if html is not None:
        write_page(html, board_page(found.name, summary["shows"], f"{utc_now():%Y-%m-%d %H:%M} UTC", lines))
    if as_json:
        print_json({"assets": [line.__dict__ for line in lines], "publication": summary["publication"]})
        return
    print_table([line.__dict__ for line in lines], ["stage", "asset", "state", "rows", "refused"])
    console().print(summary["shows"] + (f"; written to {html}" if html else ""), markup=False)
