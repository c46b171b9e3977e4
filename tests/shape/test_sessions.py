"""Only entry points ask who acts and what time it is; all else is given a session, an actor, a clock or a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "dataops_platform"

ENTRY_POINTS = {
    "cli/contracts.py": "commands without a lake, which compare waivers with today",
    "cli/doctor.py": "examines a lake that may not open",
    "cli/session.py": "the session of `dataops status`, None before the first run",
    "cli/status.py": "the time on the board, also before the first run",
    "release/component.py": "assets of a Dagster run",
    "release/jobs.py": "ops of a Dagster run",
    "release/registry/sensors.py": "ops of a Dagster run",
    "stages/component.py": "steps of a Dagster run",
    "warehouse/open.py": "a lake that is opened without a session",
    "warehouse/session.py": "opens sessions",
}
"""The modules that may ask, and what for."""

FINDERS = {"kit/clock.py", "settings/environ.py"}
"""The modules that find it out: they read the clock of the machine, the variable and the user of the process."""

NAMES = {"actor_of_run", "process_actor", "utc_now", "getpass", "getuser", "getlogin"}
ATTRIBUTES = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "getpass.getuser"}


def asks(tree: ast.AST) -> Iterator[str]:
    """Each place of a module that asks the process who acts or what time it is, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = getattr(node.value, "id", getattr(node.value, "attr", ""))
            name, is_asked = f"{owner}.{node.attr}", f"{owner}.{node.attr}" in ATTRIBUTES
        elif isinstance(node, ast.Constant):
            name, is_asked = str(node.value), node.value == "DATAOPS_ACTOR"
        else:
            name = getattr(node, "id", "")
            is_asked = name in NAMES
        if is_asked:
            yield f"{name}, line {node.lineno}"


def test_only_doors_ask_who_acts_and_what_time_it_is() -> None:
    modules = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}
    found = {name: asked for name, tree in modules.items() if name not in FINDERS and (asked := list(asks(tree)))}
    assert {name: asked for name, asked in found.items() if name not in ENTRY_POINTS} == {}, "take a session or a time"
    assert ENTRY_POINTS.keys() - found.keys() == set(), "they ask no more: take them from the list"
