"""A model that was trained again in prod gets a release of its own there; scheduled runs never meet it before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.orchestration.launch import RunResult, launch
from dataops_platform.settings.project import Project
from dataops_platform.technologies.mlflow.tracking import open_tracking
from dataops_platform.warehouse.open import lake_of

pytestmark = pytest.mark.journey

Run = Callable[..., Any]
NAME = "prod.guest.stays"


@pytest.fixture
def retrained(stays: Path, dataops: Run, project: Project) -> str:
    """The version that was trained in prod from new data, which prod shows beside the model of its release."""
    (stays / "data" / "shift.txt").write_text("5")
    for command in ("run --env prod --select signups,members,stays", "run --env prod"):
        said = dataops(*command.split())
        assert said.exit_code == 0, said.text
    with lake_of(project, read_only=True) as lake:
        version = lake.heads("prod")["stays"].version
    open_tracking(project).client.set_registered_model_alias(NAME, "challenger", version)
    return version


def shows(project: Project) -> dict[str, str]:
    """What prod shows: digests by name, with the model that the predictions say they are from."""
    with lake_of(project, read_only=True) as lake:
        members = {m.name: m.digest for m in lake.state("prod").cut.members}
        (by,) = lake.connection.execute("select distinct model_digest from lake.prod.stay_predictions").fetchall()
    return {**members, "predicted_by": by[0]}


def aliases(project: Project) -> dict[str, str]:
    return {a: str(v) for a, v in open_tracking(project).client.get_registered_model(NAME).aliases.items()}


@pytest.mark.journey
def test_a_retrained_model_is_released_in_place_and_scheduled_runs_are_not_disturbed(
    stays: Path, dataops: Run, project: Project, retrained: str
) -> None:
    before = shows(project)
    old = aliases(project)["champion"]
    built = dataops("release", "build", "--env", "prod", "--model", "stays@challenger", "--json")
    assert built.exit_code == 0, built.text
    tables, models = built.json["contents"]["tables"], built.json["contents"]["models"]
    assert tables["members"] == before["members"], "the data is what prod shows"
    assert (models["stays"] != before["stays"], tables["stay_predictions"] != before["stay_predictions"]) == (True,) * 2
    assert shows(project) == before, "nothing is shown that was not promoted"
    again = dataops("release", "build", "--env", "prod", "--model", f"stays@{retrained}", "--json")
    assert again.json["id"] == built.json["id"], "the same contents give the same release"

    for shift in ("5", "9"):
        (stays / "data" / "shift.txt").write_text(shift)
        said = dataops("run", "--env", "prod")
        assert said.exit_code == 0, said.text
        assert shows(project)["predicted_by"] == before["stays"], "a scheduled run never shows the challenger"
    assert shows(project)["members"] != before["members"], "a scheduled run is not refused because of it"

    said = dataops("promote", "--to", "prod", built.json["id"])
    assert said.exit_code == 0, said.text
    now = shows(project)
    assert (now["stays"], now["predicted_by"], now["members"]) == (*[models["stays"]] * 2, before["members"])
    assert {**aliases(project), "challenger": ""} == {"champion": retrained, "previous": old, "challenger": ""}
    assert dataops("run", "--env", "prod").exit_code == 0
    assert shows(project)["members"] != before["members"], "the new data comes under the new model"
    assert shows(project)["predicted_by"] == models["stays"]

    assert dataops("rollback", "prod").exit_code == 0
    assert shows(project)["predicted_by"] == before["stays"]
    assert aliases(project)["champion"] == old


@pytest.mark.journey
def test_what_cannot_be_released_is_named(dataops: Run, project: Project, retrained: str) -> None:
    for wanted, code in (
        ("stays", "DP-M023"),
        ("stays@nobody", "DP-M013"),
        ("stays@77", "DP-M013"),
        ("stray@1", "DP-M012"),
        ("stays@champion", "DP-M014"),
    ):
        said = dataops("release", "build", "--env", "prod", "--model", wanted)
        assert code in said.text, (wanted, said.text)
    with lake_of(project, read_only=True) as lake:
        assert [e.kind for e in lake.events("prod")] == ["promotion", "publication"]


@pytest.mark.journey
def test_a_publication_while_the_candidate_is_scored_is_taken_in(
    stays: Path, dataops: Run, project: Project, retrained: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    launches: list[Any] = []

    def launch_and_publish(*given: Any, **more: Any) -> RunResult:
        result = launch(*given, **more)
        launches.append(result)
        if len(launches) == 1:
            (stays / "data" / "shift.txt").write_text("9")
            assert dataops("run", "--env", "prod").exit_code == 0
        return result

    monkeypatch.setattr("dataops_platform.release.registry.model_release.launch", launch_and_publish)
    built = dataops("release", "build", "--env", "prod", "--model", f"stays@{retrained}", "--json")
    assert built.exit_code == 0, built.text
    assert len(launches) == 2, "the candidate was scored again"
    assert built.json["contents"]["tables"]["members"] == shows(project)["members"], "on what is shown now"
