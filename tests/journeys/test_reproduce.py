"""The year of flights is made again from a clone's release, whatever its working copy has become since."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.flights import Year, edit
from tests.fixtures.terminal import command

pytestmark = pytest.mark.journey


def test_a_release_of_the_year_comes_out_equal(own_year: Year) -> None:
    def dataops(*arguments: str) -> Any:
        done = command(own_year.project, "dataops", *arguments, "--json", PYTHONPATH=str(own_year.clone))
        assert done.exit_code == 0, done.out + done.err
        return done

    release = dataops("release", "build").json["id"]
    edit(own_year.project, "src/flights/delay.py", "max_iter=150", "max_iter=20")
    made = dataops("reproduce", release[7:19])
    levels = {part["name"]: part["level"] for part in made.json["parts"]}
    print(f"\nmade again in {made.seconds:.0f} s: {levels}")
    assert levels.pop("delay") == "content"
    assert len(levels) == 9
    assert set(levels.values()) <= {"bytes", "content"}
    assert set(made.json["inputs"].values()) == {"as it was"}
