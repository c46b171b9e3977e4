"""Code locations of a project's environments, each with the code that runs there.

In `workspace.yaml` the attribute is the environment and the working directory a folder of the project:
`python_module: {module_name: dataops_platform.locations, attribute: prod, working_directory: …}`.
"""

from __future__ import annotations

import logging
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import SystemFailed, UsedWrongly
from dataops_platform.settings.code import installed_digest, lock_digest
from dataops_platform.settings.environ import set_known_lock
from dataops_platform.settings.project import load_project

if TYPE_CHECKING:
    from dagster import Definitions

    from dataops_platform.release.pinned_code.pin import Pinned

_FOLDER = Path(sys.path[0] or ".").resolve()
"""The working directory: Dagster puts it first in the search for modules while it imports this one."""
_NO_ENVIRONMENT = frozenset({"DP-P001", "DP-P004", "DP-P006"})
"""The codes with which `load_project` refuses a folder without a project, or an unknown environment."""


@cache
def definitions_of(environment: str, folder: Path) -> Definitions:
    """Return the definitions of a project in an environment: pinned code where it is guarded, else the code checked
    out.

    A code server whose release needs another interpreter restarts in it.
    Raises: what `load_project`, `pin` and `load_definitions` raise; SystemFailed DP-R015 outside a code server.
    """
    from dataops_platform.orchestration.definitions import load_definitions
    from dataops_platform.release.pinned_code.pin import project_to_run

    project = project_to_run(load_project(folder, environment), _restart)
    if project.pinned_in is not None:
        set_known_lock(lock_digest(project.root), installed_digest())
    logging.getLogger("dagster.components.core.component_tree").addFilter(_is_not_about_names)
    return load_definitions(project)


def _is_not_about_names(record: logging.LogRecord) -> bool:
    """Return whether a log record is not Dagster's warning about `code_location_name`.

    A project has one name there, and a code location for each environment.
    """
    return "`code_location_name`" not in record.getMessage()


def _restart(pinned: Pinned) -> None:
    from dataops_platform.release.pinned_code.interpreter import start_again

    if "api" not in sys.orig_argv or "grpc" not in sys.orig_argv:
        raise SystemFailed("DP-R015", interpreter=pinned.python.parent.parent.name)
    start_again(pinned.python, sys.orig_argv[1:])


def __getattr__(name: str) -> Definitions:
    """Return the definitions of the environment `name`. Unknown names raise AttributeError.

    Libraries ask loaded modules for arbitrary names: skops does when it is imported.
    """
    folder = _FOLDER if _holds_a_project(_FOLDER) else Path.cwd()
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        load_project(folder, name)
    except UsedWrongly as error:
        if error.code in _NO_ENVIRONMENT:
            raise AttributeError(str(error)) from error
        raise
    return definitions_of(name, folder)


def _holds_a_project(folder: Path) -> bool:
    from dataops_platform.kit.paths import find_upward
    from dataops_platform.settings.project import FILE_NAME

    return find_upward(FILE_NAME, folder) is not None
