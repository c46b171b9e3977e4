"""`tests/README.md`: each promise is held by a test that is there, in the tiers that its row names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fixtures.tiers import COLLECTED

ROW = re.compile(
    r"^\| (?P<promise>.+) \| `(?P<file>[^`]+\.py)::(?P<test>\w+)` \| (?P<tiers>[a-z, ]+) \|$", re.MULTILINE
)
TESTS = Path(__file__).parents[1]


def rows(text: str) -> list[tuple[str, str, frozenset[str]]]:
    """File, test and tiers of each row."""
    return [(one["file"], one["test"], frozenset(one["tiers"].split(", "))) for one in ROW.finditer(text)]


def faults(text: str, collected: dict[tuple[Path, str], set[str]]) -> list[str]:
    """Rows whose test is not there, or runs in other tiers; of files that were not collected only the names count."""
    found = []
    files = {file for file, _ in collected}
    for file, test, tiers in rows(text):
        path = (TESTS / file).resolve()
        if not path.is_file() or f"def {test}(" not in path.read_text():
            found.append(f"{file}::{test} is not there")
        elif path in files and not tiers <= collected.get((path, test), set()):
            found.append(f"{file}::{test} runs in {', '.join(sorted(collected[path, test]))}")
    return found


def test_every_promise_is_held_by_a_test_in_the_tiers_that_the_list_names(pytestconfig: pytest.Config) -> None:
    text = (TESTS / "README.md").read_text()
    assert len(rows(text)) == text.count(".py::"), "every row is read"
    assert faults(text, pytestconfig.stash[COLLECTED]) == []


def test_a_test_that_went_or_moved_to_another_tier_would_be_seen() -> None:
    here, name = Path(__file__), "test_a_test_that_went_or_moved_to_another_tier_would_be_seen"
    collected = {(here, name): {"test"}}
    row = "| A promise | `shape/test_promises.py::{}` | {} |\n"
    assert faults(row.format(name, "test"), collected) == []
    assert faults(row.format(name, "test, kills"), collected) == [f"shape/test_promises.py::{name} runs in test"]
    assert faults(row.format("test_gone", "test"), collected) == ["shape/test_promises.py::test_gone is not there"]
