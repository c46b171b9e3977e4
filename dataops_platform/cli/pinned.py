"""Commands that run a project's code run that of its environment: what is pinned, or what is checked out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.settings.project import Project, load_project

if TYPE_CHECKING:
    from dataops_platform.release.pinned_code.pin import Pinned


def project_with_its_code(folder: Path, environment: str) -> Project:
    """The project in an environment, with the code that runs there.

    When its release runs with another interpreter, this command starts again in that one and does not come back.
    """
    from dataops_platform.release.pinned_code.pin import project_to_run

    return project_to_run(load_project(folder, environment or None), _again)


def _again(pinned: Pinned) -> None:
    from dataops_platform.release.pinned_code.interpreter import start_again

    start_again(pinned.python, ["-m", "dataops_platform.cli", *sys.argv[1:], "--project", str(pinned.root)])
