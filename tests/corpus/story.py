"""Tells a project's story: commands one after the other, and what is true after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.corpus import outcomes
from tests.fixtures.command_line import Said


@dataclass
class Story:
    """The outcomes of a project, in the order they came about."""

    project: Path
    actor: str = "ann"
    steps: list[dict[str, Any]] = field(default_factory=list)
    contents: list[dict[str, Any]] = field(default_factory=list)
    """The rows of each content that any environment showed, once."""

    def do(self, command: str, *, actor: str = "", **ids: str) -> Said:
        """Runs `dataops COMMAND` and records how it ended; `{key}` in it stands for an id, which is not recorded."""
        said = outcomes.ask(self.project, actor or self.actor, *(word.format(**ids) for word in command.split()))
        by = {"by": actor} if actor else {}
        self.steps.append({"do": command, **by, **outcomes.outcome(command.split(), said)})
        return said

    def change(self, what: str) -> None:
        """Says what was changed in the project before the next step."""
        self.steps.append({"change": what})

    def look(self, *environments: str) -> None:
        """Records what environments show; rows that were not seen before with their content."""
        for environment in environments:
            found, tables = outcomes.shown(self.project, environment)
            self.steps.append({"look": environment, "shows": found})
            self.contents += [table for table in tables if table not in self.contents]

    def built(self, environment: str = "dev") -> None:
        """Records the heads of a build area with the verdict of each rule."""
        self.steps.append({"built": environment, "heads": outcomes.built(self.project, environment)})

    def stands(self, table: str, environment: str = "dev") -> None:
        """Records a table as it stands in the build area."""
        self.steps.append({"stands": table, **outcomes.standing(self.project, environment, table)})

    def models(self) -> None:
        """Records what the registry has."""
        self.steps.append({"registry": outcomes.registry(self.project)})

    def end(self, *environments: str) -> dict[str, Any]:
        """The whole story, with the ledgers of environments and whether they are whole."""
        self.do("ledger verify")
        ledgers = outcomes.ledgers(self.project, environments)
        return {"1 story": self.steps, "2 ledgers": ledgers, "3 contents": self.contents}
