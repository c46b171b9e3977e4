"""Every command and option that the pages name is there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from dataops_platform.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "reference" not in path.parts),
    *sorted((ROOT / "project_template").rglob("*.md")),
    *sorted((ROOT / "project_template").rglob("*.yml")),
]
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`|^ *- (?:run: )?(\.venv/bin/.*)$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"(?:^|[\s/;(])dataops ([a-z][^\n`;&)]*)", re.MULTILINE)


def named(page: Path) -> list[str]:
    """What stands behind `dataops` in the code of a page."""
    texts = ["".join(found) for found in CODE.findall(page.read_text())]
    return [said.partition(" #")[0].strip() for text in texts for said in NAMED.findall(text)]


@cache
def commands() -> Any:
    """The tree of all commands."""
    return typer.main.get_command(app)


def unknown(said: str) -> list[str]:
    """Words of a line that are no command, and flags that are no option of it."""
    words = [word for word in re.sub(r"\"[^\"]*\"|'[^']*'", "TEXT", said).replace(" | ", "|").split() if word != "TEXT"]
    at = commands()
    while words and hasattr(at, "commands"):
        alternatives = words.pop(0).split("|")
        wrong = [word for word in alternatives if word not in at.commands]
        if wrong:
            return wrong
        at = at.commands[alternatives[0]]
    options = {option for parameter in at.params for option in (*parameter.opts, *parameter.secondary_opts)}
    flags = [word.partition("=")[0] for word in words if word.startswith("--") and word != "--"]
    return [flag for flag in flags if flag not in {*options, "--help"}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_names_only_what_is_there(page: Path) -> None:
    assert {said: wrong for said in named(page) if (wrong := unknown(said))} == {}


def test_enough_is_named_and_a_wrong_name_is_found() -> None:
    assert sum(len(named(page)) for page in PAGES) > 100
    assert unknown("promot --to prod") == ["promot"]
    assert unknown("promote --too prod") == ["--too"]
    assert unknown("ledger list|verifi --env prod") == ["verifi"]
