"""The changelog tells of the version that this is."""

from __future__ import annotations

import re
from pathlib import Path

from dataops_platform.kit.version import VERSION


def test_the_newest_part_of_the_changelog_is_of_this_version() -> None:
    text = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
    newest = re.findall(r"^## (.*)$", text, re.MULTILINE)[0]
    assert VERSION in newest
    assert re.search(r"DeprecationWarning", text.partition("\n## ")[0]), "what is to go, and when, is said on top"
