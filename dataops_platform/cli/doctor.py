"""Examine what is installed and reachable, and which promises hold here; say what to do about the rest.

Example: dataops doctor
"""

from __future__ import annotations

from pathlib import Path

import typer

from dataops_platform.cli.options import AsJson, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors


@reports_errors
def doctor(project: ProjectFolder = Path(), as_json: AsJson = False) -> None:
    """Print one line for each finding; ends with 1 when something is wrong. Changes nothing."""
    from dataops_platform.kit.clock import utc_now
    from dataops_platform.status.doctor import examine_folder

    found = examine_folder(project, utc_now())
    wrong = sum(finding.state == "wrong" for finding in found)
    if as_json:
        print_json([finding.__dict__ for finding in found])
    else:
        print_table([finding.__dict__ for finding in found], ["area", "name", "state", "says", "fix"])
        console().print(f"{wrong} to mend" if wrong else "nothing to mend", markup=False)
    if wrong:
        raise typer.Exit(1)
