"""One screen says what is wrong here, and only what is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.clock import utc_now
from dataops_platform.settings.project import load_project
from dataops_platform.status.doctor import examine, examine_folder
from dataops_platform.warehouse.open import lake_of


def wrong(project: Path) -> dict[str, str]:
    """What is wrong, with what it says."""
    return {
        finding.name: finding.says for finding in examine(load_project(project), utc_now()) if finding.state == "wrong"
    }


def test_a_project_that_has_run_in_a_repository_has_nothing_to_mend(
    in_git: Path, dataops_in: Callable[..., Any]
) -> None:
    said = dataops_in(in_git)("doctor")
    assert said.exit_code == 0, said.text
    assert "nothing to mend" in said.text
    assert "clean" in said.text


def test_without_a_repository_it_says_so_and_ends_with_1(published: Path, dataops_in: Callable[..., Any]) -> None:
    said = dataops_in(published)("doctor", "--json")
    assert said.exit_code == 1
    assert [line["name"] for line in said.json if line["state"] == "wrong"] == ["git"]


def test_a_project_that_never_ran_is_told_how_to(orders: Path) -> None:
    assert "DP-W001" in wrong(orders)["reachable"]


def test_an_option_that_lets_a_checkpoint_take_what_is_published_is_found(in_git: Path) -> None:
    with lake_of(load_project(in_git)) as lake:
        lake.connection.execute("call lake.set_option('expire_older_than', '7 days')")
    assert "CHECKPOINT takes away" in wrong(in_git)["expiry"]


def test_a_dagster_without_monitoring_and_a_loading_of_pickles_are_found(
    in_git: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (in_git / ".dataops" / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    assert set(wrong(in_git)) == {"monitoring", "pickle"}


def test_a_catalog_that_cannot_be_reached_is_a_finding_not_an_end(in_git: Path) -> None:
    text = (in_git / "dataops.yaml").read_text()
    (in_git / "dataops.yaml").write_text(text + 'lake: {catalog: "postgres:host=127.0.0.1 port=1 dbname=none"}\n')
    found = wrong(in_git)
    assert "reachable" in found
    assert "DP-W" in found["reachable"]


def test_outside_a_project_it_says_what_is_installed_and_that_there_is_none(tmp_path: Path) -> None:
    found = examine_folder(tmp_path, utc_now())
    assert ("dagster", "ok") in [(one.name, one.state) for one in found if one.area == "installed"]
    (missing,) = [one for one in found if one.state == "wrong"]
    assert (missing.area, missing.says.partition(" ")[0]) == ("project", "DP-P001")
