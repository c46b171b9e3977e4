"""The registry remembers the last event of a ledger: one that was cut short together with its file is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.errors import Refused, SystemFailed
from dataops_platform.manifests.events import Duplicate
from dataops_platform.release.audit.registry_anchor import TAG, registry_anchor
from dataops_platform.release.reconciliation.reconcile import follow_switch, reconcile
from dataops_platform.settings.project import Project
from dataops_platform.technologies.mlflow.tracking import open_tracking
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.lakes import session_of
from tests.release.audit.tamper import cut_off

pytestmark = pytest.mark.journey

Run = Callable[..., Any]
NOTE = Duplicate(actor="ann")


@pytest.fixture
def lake(project: Project, lake: Lake) -> Lake:
    """Its lake: prod has three events, and the registry remembers the last."""
    for _ in range(2):
        lake.note("prod", NOTE)
    reconcile(session_of(project, lake))
    return lake


def remembered(project: Project) -> list[tuple[int, str]]:
    return [(one.sequence, one.hash) for one in registry_anchor(project, "prod")]


def write_tag(project: Project, text: str) -> None:
    tracking = open_tracking(project)
    tracking.client.set_experiment_tag(tracking.experiment_id, TAG, text)


def shorten(project: Project, events: int) -> None:
    """Cuts the file of anchors of prod."""
    path = project.state_dir / "anchors" / "prod.jsonl"
    path.write_text("".join(f"{line}\n" for line in path.read_text().splitlines()[:events]))


def verdict(dataops: Run, *more: str) -> tuple[int, str]:
    said = dataops("ledger", "verify", *more)
    return said.exit_code, said.text


def test_after_a_move_the_registry_remembers_the_last_event_and_catches_up_with_those_that_come(
    project: Project, stays: Path, dataops: Run
) -> None:
    with lake_of(project) as lake:
        state = lake.state("prod")
        assert (state.sequence, remembered(project)) == (1, [(1, state.hash)]), "the promotion had it remembered"
        lake.note("prod", NOTE)
        assert remembered(project) == [(1, state.hash)]
        assert reconcile(session_of(project, lake)).put_right == ()
        assert remembered(project) == [(2, lake.state("prod").hash)]
    code, text = verdict(dataops, "--env", "prod", "--json")
    assert (code, json.loads(text)[0]["faults"]) == (0, [])


def test_a_ledger_cut_short_together_with_its_file_is_found_through_the_registry(
    project: Project, lake: Lake, dataops: Run
) -> None:
    (before,) = remembered(project)
    assert verdict(dataops)[0] == 0
    cut_off(1)(lake)
    shorten(project, 1)
    missing = "event 3 of prod: the registry remembers it, and the ledger has no such event"
    code, text = verdict(dataops)
    assert (code, text.startswith(f"DP-L042 The ledger fails verification: {missing}")) == (1, True)
    with pytest.raises(Refused, match=f"^DP-L083 The registry stores a hash of another ledger: {missing}"):
        reconcile(session_of(project, lake))
    for _ in range(3):  # also when it has grown again, by events that are others
        lake.note("prod", Duplicate(actor="eve"))
    other = "event 3 of prod: it is another event than the one that the registry remembers"
    assert follow_switch(session_of(project, lake)).failed.startswith(
        f"DP-L083 The registry stores a hash of another ledger: {other}"
    )
    assert verdict(dataops)[1].startswith(f"DP-L042 The ledger fails verification: {other}")
    assert remembered(project) == [before], "what disagrees is never written over"


def test_without_the_registry_that_ledger_would_be_whole(project: Project, lake: Lake, dataops: Run) -> None:
    cut_off(1)(lake)
    shorten(project, 1)
    tracking = open_tracking(project)
    tracking.client.delete_experiment_tag(tracking.experiment_id, TAG)
    assert verdict(dataops)[0] == 0


def test_a_ledger_of_which_the_lake_and_the_files_know_nothing_any_more_is_found(
    project: Project, lake: Lake, dataops: Run
) -> None:
    lake.connection.execute("delete from lake._dataops.ledger where environment = 'prod'")
    lake.connection.execute("drop view lake._dataops.head__prod")
    (project.state_dir / "anchors" / "prod.jsonl").unlink()
    code, text = verdict(dataops)
    assert (code, "event 3 of prod: the registry remembers it" in text) == (1, True)


def test_a_tag_that_was_scribbled_in_is_told_and_left(project: Project, lake: Lake, dataops: Run) -> None:
    write_tag(project, "three")
    said = "The tag dataops.ledger of the experiment guest/prod cannot be read: 'three'"
    assert verdict(dataops, "--env", "prod")[0] == 1
    assert said in verdict(dataops, "--env", "prod")[1]
    with pytest.raises(SystemFailed, match=f"^DP-L085 {said}"):
        reconcile(session_of(project, lake))
    assert said in follow_switch(session_of(project, lake)).failed


def test_a_registry_that_does_not_answer_is_told_and_asked_again_by_the_next(
    project: Project, lake: Lake, dataops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.note("prod", NOTE)
    with monkeypatch.context() as patched:
        patched.setattr("dataops_platform.release.audit.registry_anchor.open_tracking", lambda _: 1 / 0)
        assert follow_switch(session_of(project, lake)).failed.startswith(
            "DP-M015 The registry does not match the ledger of prod yet"
        )
        code, text = verdict(dataops, "--env", "prod")
        assert (code, "prod: The ledger hash in the registry cannot be read: division by zero" in text) == (1, True)
    assert follow_switch(session_of(project, lake)).failed == ""
    assert [number for number, _ in remembered(project)] == [4]
