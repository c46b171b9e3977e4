"""What a command works with: a session, and the code of its environment, pinned or checked out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.settings.environ import process_actor
from dataops_platform.settings.project import Project, load_project

if TYPE_CHECKING:
    from dataops_platform.release.pinned_code.pin import Pinned
    from dataops_platform.warehouse.session import Session


@contextmanager
def session_in(folder: Path, environment: str = "", *, read_only: bool = False) -> Iterator[Session]:
    """Open the lake of the project in a folder, and yield a session of whoever runs the command.

    An empty `environment` stands for the one that `DATAOPS_ENV` names, or dev.
    """
    from dataops_platform.warehouse.session import open_session

    with open_session(load_project(folder, environment), read_only=read_only) as session:
        yield session


def project_with_its_code(folder: Path, environment: str) -> Project:
    """Return the project in an environment, with the code that runs there.

    When the environment's release needs another interpreter, this process restarts in it and the call does not return.
    """
    from dataops_platform.release.pinned_code.pin import project_to_run

    return project_to_run(load_project(folder, environment), _restart)


@contextmanager
def project_and_session(folder: Path, environment: str) -> Iterator[tuple[Project, Session | None]]:
    """Yield the project with its code, and a read-only session, which is None before the first run."""
    from dataops_platform.release.pinned_code.pin import project_to_run
    from dataops_platform.warehouse.open import lake_if_made
    from dataops_platform.warehouse.session import Session

    project = load_project(folder, environment)
    with lake_if_made(project) as lake:
        found = project_to_run(project, _restart, lake)
        yield found, Session(found, lake, process_actor()) if lake else None


def _restart(pinned: Pinned) -> None:
    from dataops_platform.release.pinned_code.interpreter import start_again

    start_again(pinned.python, ["-m", "dataops_platform.cli", *sys.argv[1:], "--project", str(pinned.root)])
