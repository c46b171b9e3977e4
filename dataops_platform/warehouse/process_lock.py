"""One process at a time does something for an environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake


@contextmanager
def alone(project: Project, lake: Lake, what: str) -> Iterator[None]:
    """Keeps other processes out: by a file on this machine, and by the catalog where several machines share it."""
    from filelock import FileLock

    name = f"{what}.{project.environment}"
    with FileLock(project.state_dir / f"{name}.lock"), lake.lock.advisory(name):
        yield
