"""A lock for work on an environment that only one process may do at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake


@contextmanager
def alone(project: Project, lake: Lake, what: str) -> Iterator[None]:
    """Keep other processes out of the work `what` on the project's environment.

    A file locks out processes of this machine; a PostgreSQL catalog also locks out other machines.
    """
    from filelock import FileLock

    name = f"{what}.{project.environment}"
    with FileLock(project.state_dir / f"{name}.lock"), lake.lock.advisory(name):
        yield
