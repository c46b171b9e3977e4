"""The ten stories by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.corpus import data_stories as data
from tests.corpus import release_stories as releases
from tests.corpus.names import text_of
from tests.corpus.outcomes import cheap_commands

STORIES: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    story.__name__: story
    for story in (
        data.refused_rows,
        data.late_corrections,
        data.marts,
        data.foreign_table,
        data.equality,
        releases.releases,
        releases.stricter_contract,
        releases.branch,
        releases.held,
        releases.model,
    )
}
"""Each is given a folder that is not there yet, makes its project there, and gives what came of it."""
EXPECTED = Path(__file__).with_name("expected")


def told(name: str, folder: Path) -> str:
    """The story of this name, told in a folder that is not there yet."""
    with cheap_commands():
        return text_of(STORIES[name](folder))
