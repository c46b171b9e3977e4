"""A release is of what is shown and of the code that made it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.command_line import commit_all

pytestmark = pytest.mark.journey


def test_other_code_that_makes_the_same_contents_is_released_once_it_has_made_them(
    in_git: Path, dataops_in: Callable[..., Any]
) -> None:
    dataops = dataops_in(in_git)
    first = dataops("release", "build", "--json").json
    model = in_git / "dbt" / "models" / "monthly_sales.sql"
    model.write_text("-- By month of the order.\n" + model.read_text())
    commit = commit_all(in_git, "Say what a month is")
    refused = dataops("release", "build")
    assert (refused.exit_code, "DP-L006" in refused.text, "monthly_sales" in refused.text) == (1, True, True)
    assert dataops("run").exit_code == 0
    with lake_of(load_project(in_git), read_only=True) as lake:
        state, heads = lake.state("dev"), lake.heads("dev")
    second = dataops("release", "build", "--json")
    assert second.exit_code == 0, second.text
    assert (second.json["contents"]["commit"], second.json["id"] == first["id"]) == (commit, False)
    made = {member["name"]: member["windows"] for member in second.json["locators"]["cut"]["members"]}
    assert {name: windows["node"] for name, windows in made.items()} == {
        name: head.windows.node for name, head in heads.items() if name in made
    }
    assert {m.name: m.digest for m in state.cut.members} == {name: one["digest"] for name, one in made.items()}
    assert dataops("promote", "--to", "staging").exit_code == 0


def test_contents_that_are_not_shown_yet_are_not_released(in_git: Path, dataops_in: Callable[..., Any]) -> None:
    dataops = dataops_in(in_git)
    shown = dataops("release", "build", "--json").json
    orders = in_git / "data" / "orders.csv"
    orders.write_text(orders.read_text().replace("12.25", "99.00"))
    commit_all(in_git, "Another price")
    assert dataops("run", "--select", "extract,clean,transform").exit_code == 0
    built = dataops("release", "build", "--json").json
    assert built["locators"]["cut"] == shown["locators"]["cut"]
