"""The year of flights is made again from a clone's release, whatever its working copy has become since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import clone_of_the_repository, command

pytestmark = pytest.mark.journey


def test_a_release_of_the_year_comes_out_equal(tmp_path: Path) -> None:
    root = clone_of_the_repository(tmp_path / "clone")
    clone, path = root / "examples" / "flights", {"PYTHONPATH": str(root)}

    def dataops(*arguments: str, exit_code: int = 0) -> Any:
        done = command(clone, "dataops", *arguments, "--json", **path)
        assert done.exit_code == exit_code, done.out + done.err
        return done

    dataops("run")
    release = dataops("release", "build").json["id"]
    edit(clone / "src" / "flights" / "delay.py", "max_iter=150", "max_iter=20")
    made = dataops("reproduce", release[7:19])
    levels = {part["name"]: part["level"] for part in made.json["parts"]}
    print(f"\nmade again in {made.seconds:.0f} s: {levels}")
    assert levels.pop("delay") == "content"
    assert len(levels) == 9
    assert set(levels.values()) <= {"bytes", "content"}
    assert set(made.json["inputs"].values()) == {"as it was"}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
