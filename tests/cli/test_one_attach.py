"""A command that only reads attaches the lake once: DuckDB checks two signatures each time, a third of a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dataops_platform.cli.main import app
from dataops_platform.warehouse import attach

READING = {
    "status": ["--env", "prod"],  # also looks for the code of the release that is shown there
    "sql": ["select 1"],
    "doctor": [],
    "gc": [],
    "report": ["--env", "dev"],
    "release list": [],
    "release at": ["2100-01-01"],
    "release show": ["--at", "2100-01-01"],
    "env list": [],
    "ledger list": [],
    "ledger show": ["1"],
    "ledger verify": [],
    "ledger head": [],
    "contracts lint": [],
    "contracts sync": ["--check"],
    "contracts diff": ["contracts", "contracts"],
    "contracts quarantine show": ["orders"],
}
OTHERS = {
    *("explain", "contracts test", "contracts plan"),  # without a project
    *("init", "run", "up", "plan", "approve", "promote", "rollback", "resume", "reproduce", "reconcile"),
    *("release build", "env create", "env drop", "registry validate", "registry answer"),
    *("contracts quarantine release", "contracts quarantine drop"),
}


def test_every_command_that_reads_is_listed() -> None:
    assert READING.keys() | OTHERS == set(_commands(typer.main.get_command(app)))


def test_a_command_that_reads_attaches_the_lake_once(
    in_git: Path, dataops: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(in_git)
    attaches = []
    statement = attach._attach_statement
    monkeypatch.setattr(attach, "_attach_statement", lambda *given: attaches.append(1) or statement(*given))

    def attached(command: str, arguments: list[str]) -> int:
        attaches.clear()
        said = dataops(*command.split(), *arguments)
        assert said.exit_code in (0, 1), said.text
        return len(attaches)

    counted = {command: attached(command, arguments) for command, arguments in READING.items()}
    assert {command for command, count in counted.items() if count > 1} == set()
    assert counted["status"] == counted["sql"] == counted["gc"] == 1


def _commands(group: Any, *path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, *path, name)
        else:
            yield " ".join((*path, name))
