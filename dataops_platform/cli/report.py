"""Delivery metrics of an environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataops_platform.cli.options import AsJson, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors
from dataops_platform.cli.session import session_in


@reports_errors
def report(
    env: Annotated[str, typer.Option("--env", help="The environment.")] = "prod",
    since: Annotated[str, typer.Option(help="Only events since this moment, as 2013-03-01, UTC.")] = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Print delivery metrics: lead time for changes, promotion frequency, change failure rate, time to restore.

    Example: dataops report --env prod --since 2013-03-01
    """
    from dataops_platform.release.audit.delivery_metrics import promotion_rows, report_lines, report_of

    with session_in(project, env, read_only=True) as session:
        metrics = report_of(session, since)
    if as_json:
        print_json(metrics.to_plain())
        return
    out = console()
    for what, number in report_lines(metrics):
        out.print(f"{what:<32} {number}", markup=False)
    if metrics.promotions:
        columns = ["event", "release", "at", "by", "commits", "waited", "taken_back"]
        print_table(promotion_rows(metrics.promotions), columns, f"promotions to {env}")
