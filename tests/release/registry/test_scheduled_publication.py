"""What a scheduled run does in an environment that shows a release with a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

pytestmark = pytest.mark.journey


def test_new_data_is_published_beside_the_model_of_the_release(stays: Path, dataops: Callable[..., Any]) -> None:
    (stays / "data" / "shift.txt").write_text("5")
    for command in ("run --env prod --select signups,members,stays", "run --env prod"):
        said = dataops(*command.split())
        assert said.exit_code == 0, said.text
    with lake_of(load_project(stays, "prod"), read_only=True) as lake:
        first, last = lake.events("prod")[0], lake.state("prod")
        trained = lake.heads("prod")["stays"]
        before = {member.name: member.digest for member in lake.cut(first).members}
    after = {member.name: member.digest for member in last.cut.members}
    assert (last.event.kind, last.release) == ("publication", first.release)
    assert after["members"] != before["members"], "the new data is shown"
    assert after["stays"] == before["stays"] != trained.digest, "a model was trained from it, and is not shown"
