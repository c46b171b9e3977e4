"""Sessions: what somebody works with, made once where a command, a run or a request comes in, and passed down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from dataops_platform.kit.actor import Actor
from dataops_platform.kit.clock import Clock, utc_now
from dataops_platform.settings.environ import process_actor
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of


@dataclass(frozen=True)
class Session:
    """A project in an environment, its open lake, who acts, and the clock."""

    project: Project
    lake: Lake
    actor: Actor
    clock: Clock = utc_now

    @property
    def environment(self) -> str:
        """The name of the project's environment."""
        return self.project.environment

    def now(self) -> datetime:
        """Return the time of the session's clock: aware, in UTC."""
        return self.clock()

    def of(self, project: Project) -> Session:
        """Return the session for another environment, or another copy, of the same project."""
        return replace(self, project=project)

    def at(self, environment: str) -> Session:
        """Return the session in another environment. Raises: UsedWrongly DP-P004 for an unknown one."""
        return self.of(self.project.at(environment))


@contextmanager
def open_session(
    project: Project, *, read_only: bool = False, actor: Actor | None = None, clock: Clock = utc_now
) -> Iterator[Session]:
    """Open a project's lake, and yield a session of `actor`: by default that of the process (`process_actor`).

    Raises: UsedWrongly DP-P011 for a declared name that is none; what `lake_of` raises.
    """
    actor = actor or process_actor()
    with lake_of(project, read_only=read_only, clock=clock) as lake:
        yield Session(project, lake, actor, clock)
