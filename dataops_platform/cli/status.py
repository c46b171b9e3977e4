"""Show every stage: what succeeded and when, what runs, what waits.

Example: dataops status
"""

from __future__ import annotations

from pathlib import Path

from dataops_platform.cli.options import AsJson, Environment, ProjectFolder
from dataops_platform.cli.output import console, errors_shown, print_json, print_table
from dataops_platform.settings.project import load_project


def status(env: Environment = "", project: ProjectFolder = Path(), as_json: AsJson = False) -> None:
    """Prints a line for each asset, in the order of the stages."""
    with errors_shown(as_json):
        from dataops_platform.runs.definitions import load_definitions
        from dataops_platform.runs.instance import open_instance
        from dataops_platform.runs.status import board
        from dataops_platform.runs.summary import summarize

        found = load_project(project, env or None)
        definitions = load_definitions(found)
        with open_instance(found) as instance:
            lines = board(found, definitions, instance)
        summary = summarize(found)
        if as_json:
            print_json({"assets": [line.__dict__ for line in lines], "publication": summary["publication"]})
            return
        print_table([line.__dict__ for line in lines], ["stage", "asset", "state", "rows", "refused"])
        console().print(summary["shows"], markup=False)
