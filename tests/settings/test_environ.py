"""Environment variables, read in one place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dataops_platform.kit.actor import ACTOR_TAG, Actor
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.settings import environ


@pytest.mark.parametrize("name", ["dev", "staging", "prod", "a", "feature_1", "dev_", "a" * 40])
def test_a_name_that_can_be_a_schema_names_an_environment(name: str) -> None:
    assert environ.checked_environment(name) == name


@pytest.mark.parametrize(
    "name", ["", "Dev", "1dev", "_dev", "dev__build", "a-b", "a b", "dev\n", " dev", "é", "a" * 41, 'a"', "dev;--"]
)
def test_a_name_that_cannot_be_a_schema_is_refused(name: str) -> None:
    with pytest.raises(UsedWrongly) as caught:
        environ.checked_environment(name)
    assert str(caught.value) == (
        f"DP-P006 {name!r} cannot name an environment. Use lower-case letters, digits and single underscores, "
        "starting with a letter, at most 40 characters."
    )


def test_the_variable_chooses_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATAOPS_ENV", raising=False)
    assert environ.chosen_environment() == "dev"
    environ.set_environment("staging")
    assert (environ.chosen_environment(), os.environ["DATAOPS_ENV"]) == ("staging", "staging")
    monkeypatch.setenv("DATAOPS_ENV", "PROD")
    with pytest.raises(UsedWrongly, match=r"^DP-P006 'PROD'"):
        environ.chosen_environment()
    with pytest.raises(UsedWrongly, match=r"^DP-P006 'PROD'"):
        environ.set_environment("PROD")


def test_dagsters_home_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    assert environ.dagster_home() is None
    environ.set_dagster_home(tmp_path)
    assert environ.dagster_home() == tmp_path


def test_mlflow_is_kept_quiet_and_careful_unless_the_user_decided_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    environ.mlflow_defaults()
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "true"


def test_the_actor_is_the_user_of_the_process_unless_a_variable_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATAOPS_ACTOR", raising=False)
    monkeypatch.setenv("LOGNAME", "ann")
    assert environ.process_actor() == Actor("ann", "process")
    monkeypatch.setenv("DATAOPS_ACTOR", "bob@example.org")
    assert environ.process_actor() == Actor("bob@example.org", "variable")
    monkeypatch.setenv("DATAOPS_ACTOR", "role:manager")
    with pytest.raises(UsedWrongly, match=r"^DP-P011 DATAOPS_ACTOR 'role:manager' is not a valid name"):
        environ.process_actor()


def test_the_actor_of_a_run_is_in_its_tag_or_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAOPS_ACTOR", "ann")
    assert environ.actor_of_run({}) == Actor("ann", "variable")
    assert environ.actor_of_run({ACTOR_TAG: "bob"}) == Actor("bob", "tag")
    with pytest.raises(UsedWrongly, match=r"^DP-P011 dataops/actor 'bob and eve' is not a valid name"):
        environ.actor_of_run({ACTOR_TAG: "bob and eve"})


def test_only_the_user_of_the_process_is_not_declared() -> None:
    assert [str(Actor("ann", source)) for source in ("process", "variable", "tag")] == [
        "ann",
        "ann (declared)",
        "ann (declared)",
    ]
