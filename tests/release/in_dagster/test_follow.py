"""Dagster's web server is made to load what is pinned; all that can be looked at is the daemon's own location."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dataops_platform.orchestration.reload import RELOADED
from dataops_platform.release.pinned_code.pin import Pinned
from dataops_platform.release.sensors import follow_pinned
from dataops_platform.settings.project import COPIES


@pytest.fixture
def copies(tmp_path: Path) -> Callable[[str], Pinned]:
    """The pinned copy of a commit, which this interpreter runs."""
    return lambda commit: Pinned(tmp_path / COPIES / commit, Path(sys.executable))


@pytest.fixture
def has(copies: Callable[[str], Pinned], tmp_path: Path) -> Callable[[str], Any]:
    """A project as the location of prod has loaded it, from the copy of a commit."""
    return lambda commit: SimpleNamespace(
        environment="prod", state_dir=tmp_path, root=copies(commit).root, pinned_in=tmp_path
    )


class WebServer:
    """Counts how often it was told to reload."""

    def __init__(self, says: str = RELOADED) -> None:
        self.says, self.asked = says, 0

    def __call__(self) -> str:
        self.asked += 1
        return self.says


def test_the_web_server_follows_a_rollback_that_came_before_the_daemons_own_location_was_loaded_anew(
    has: Any, copies: Any
) -> None:
    web, old, new = WebServer(), copies("a"), copies("b")
    _, seen = follow_pinned(has("a"), old, "", web)
    assert web.asked == 0, "both servers started with what is pinned"
    _, seen = follow_pinned(has("a"), new, seen, web)
    assert (web.asked, seen) == (1, str(new)), "promoted: the daemon's location still has the old code"
    said, seen = follow_pinned(has("a"), old, seen, web)
    assert (web.asked, seen) == (2, str(old)), "taken back: the daemon's location never was stale, the web server is"
    assert said == f"the release that prod shows runs with other code than Dagster's pages have: {RELOADED}"


def test_it_is_reloaded_once_and_again_only_where_that_failed(has: Any, copies: Any) -> None:
    web, pinned = WebServer(), copies("b")
    said, seen = follow_pinned(has("a"), pinned, "", web)
    assert said == f"this location has commit a, not what the release that prod shows runs with: {RELOADED}"
    said, seen = follow_pinned(has("a"), pinned, seen, web)
    assert (web.asked, said.partition(": ")[2][:23]) == (1, "it follows in a minute,")
    assert follow_pinned(has("b"), pinned, seen, web) == ("", seen)
    assert web.asked == 1
    failing = WebServer("it was reloaded and failed: no such table")
    _, seen = follow_pinned(has("a"), pinned, "", failing)
    said, _ = follow_pinned(has("a"), pinned, seen, failing)
    assert (failing.asked, seen) == (2, "")
    assert said.endswith("no such table")


def test_another_interpreter_is_stale_too(has: Any, copies: Any) -> None:
    web = WebServer()
    pinned = replace(copies("a"), python=Path("elsewhere/bin/python"))
    follow_pinned(has("a"), pinned, "", web)
    assert web.asked == 1


def test_where_no_web_server_is_known_it_is_said_until_the_location_follows(has: Any, copies: Any) -> None:
    said, seen = follow_pinned(has("a"), copies("b"), "", None)
    assert (said.rpartition(": ")[2], seen) == ("reload it", "")
    assert follow_pinned(has("b"), copies("b"), seen, None)[0] == ""
