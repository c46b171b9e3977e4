"""Ten projects come out as they are kept in `expected`: written anew only where what is true changed, and said why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.names import Name, numbered
from tests.corpus.stories import EXPECTED, STORIES, told

VOLATILE = re.compile(r"sha256:|\bdp\d:|[0-9a-f]{12}|202[5-9]-|/tmp|/home")
"""Digests, ids, times and paths: no expected file holds one."""


@pytest.mark.journey
@pytest.mark.parametrize("story", STORIES)
def test_a_story_comes_out_as_it_is_kept(story: str, tmp_path: Path) -> None:
    assert told(story, tmp_path / "project") == (EXPECTED / f"{story}.json").read_text()


def test_each_story_is_kept_and_nothing_else_is() -> None:
    assert {path.stem for path in EXPECTED.glob("*.json")} == set(STORIES)
    assert len(STORIES) == 10


@pytest.mark.parametrize("story", STORIES)
def test_no_digest_time_or_path_is_kept(story: str) -> None:
    assert not VOLATILE.findall((EXPECTED / f"{story}.json").read_text())


def test_equal_digests_have_one_name_whatever_their_text() -> None:
    def told(one: str, other: str) -> Any:
        return numbered({"b": Name("content", one), "a": [Name("content", other), Name("plan", one)], "c": other})

    assert told("x", "y") == {"a": ["content 1", "plan 1"], "b": "content 2", "c": "y"}
    assert numbered([Name("content", "p"), Name("content", "q"), Name("content", "p")]) == [
        "content 1",
        "content 2",
        "content 1",
    ]
