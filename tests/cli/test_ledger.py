"""`dataops ledger`: the events of an environment, whether anybody wrote past the platform, and who signed the last."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.actor import Actor
from dataops_platform.manifests.events import Duplicate, Unknown, by
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import attached_once, lake_of

Run = Callable[..., Any]


@pytest.fixture
def project(published: Path) -> Path:
    """A project whose dev has a publication and a note of ann, which nobody signed."""
    return written(published)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A private key without a passphrase."""
    path = tmp_path / "ledger_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def written(project: Path) -> Path:
    """Notes that something came twice."""
    with lake_of(load_project(project)) as lake:
        lake.note("dev", Duplicate(actor="ann", run="r1"))
    return project


def overwritten(project: Path, sequence: int) -> None:
    """Changes one event past the platform."""
    with lake_of(load_project(project)) as lake:
        lake.connection.execute(
            f"update lake._dataops.ledger set body = replace(body, '\"ann\"', '\"eve\"') where sequence = {sequence}"
        )


def test_the_list_has_the_newest_event_first_and_says_what_it_was_about(project: Path, dataops: Run) -> None:
    events = dataops("ledger", "list", "--json").json
    assert [(event["sequence"], event["kind"]) for event in events] == [(2, "duplicate"), (1, "publication")]
    assert not any("members" in event for event in events)
    assert [event["sequence"] for event in dataops("ledger", "list", "--last", "1", "--json").json] == [2]
    first = next(line for line in dataops("ledger", "list").out.splitlines() if "duplicate" in line)
    assert first.split()[0] == "2"
    assert first.rstrip().endswith("run r1")


def test_one_event_is_shown_whole_the_last_when_no_number_is_given(project: Path, dataops: Run) -> None:
    assert dataops("ledger", "show", "--json").json["kind"] == "duplicate"
    first = dataops("ledger", "show", "1", "--json").json
    assert {member["name"] for member in first["members"]} == {"customers", "monthly_sales", "orders"}
    text = dataops("ledger", "show", "1").text
    assert "kind publication" in text
    assert all(member["name"] in text for member in first["members"])


def test_an_actor_who_is_only_declared_is_shown_so(project: Path, dataops: Run) -> None:
    with lake_of(load_project(project)) as lake:
        lake.note("dev", Duplicate(**by(Actor("bob", "variable"))))
    lines = [line.split() for line in dataops("ledger", "list").out.splitlines() if "duplicate" in line]
    assert [line[3:5] for line in lines] == [["bob", "(declared)"], ["ann", lines[1][4]]]
    assert lines[1][4] != "(declared)"
    assert "actor bob (declared)" in dataops("ledger", "show").text
    shown = dataops("ledger", "show", "--json").json
    assert (shown["actor"], shown["actor_source"]) == ("bob", "variable")
    assert "actor_source" not in dataops("ledger", "show", "2", "--json").json


def test_an_event_of_a_kind_that_only_a_later_version_knows_is_kept_shown_and_moves_nothing(
    project: Path, dataops: Run
) -> None:
    with lake_of(load_project(project)) as lake:
        before = lake.state("dev")
        lake.note("dev", Unknown(kind="grant", actor="ann", more={"table": "orders", "rights": ["select"]}))
        lake.note("dev", Duplicate(actor="bob"))
        after = lake.state("dev")
        assert (after.sequence, after.publication, after.moved) == (4, before.publication, before.moved)
    assert [event["kind"] for event in dataops("ledger", "list", "--json").json][:2] == ["duplicate", "grant"]
    assert "grant" in dataops("ledger", "list").text
    shown = dataops("ledger", "show", "3", "--json").json
    assert (shown["table"], shown["rights"]) == ("orders", ["select"])
    assert 'rights ["select"]' in dataops("ledger", "show", "3").text
    for command in ("ledger verify", "status", "release build"):
        said = dataops(*command.split())
        assert said.exit_code == 0, said.text


def test_an_event_that_there_is_not_is_told_with_the_last(project: Path, dataops: Run) -> None:
    said = dataops("ledger", "show", "7")
    assert (said.exit_code, said.text) == (
        2,
        "DP-L044 dev has no event 7; its last is 2. See all: dataops ledger list --env dev.",
    )
    (project / ".dataops" / "branches").mkdir()
    (project / ".dataops" / "branches" / "pr_12").touch()
    said = dataops("ledger", "show", "--env", "pr_12")
    assert (said.exit_code, said.text) == (
        2,
        "DP-L086 pr_12 has no event yet. Publish something: dataops run --env pr_12.",
    )
    assert dataops("ledger", "list", "--env", "pr_12", "--json").json == []
    assert dataops("ledger", "head", "--env", "pr_12").text == "pr_12 event 0 (no ledger) unsigned"


def test_a_whole_ledger_is_said_with_how_much_of_it_is_anchored_and_signed(project: Path, dataops: Run) -> None:
    assert dataops("ledger", "verify", "--json").json == [
        {"environment": "dev", "events": 2, "anchored": 2, "signed": 0, "faults": []}
    ]
    said = dataops("ledger", "verify")
    assert (said.exit_code, said.out.split()[-4:]) == (0, ["dev", "2", "2", "0"])


def test_a_ledger_that_somebody_wrote_to_ends_with_1_and_the_first_bad_event(project: Path, dataops: Run) -> None:
    for _ in range(2):
        written(project)
    overwritten(project, 3)
    overwritten(project, 2)
    first = "DP-L042 The ledger fails verification: event 2 of dev: its content does not digest to its hash"
    for command in (("ledger", "verify"), ("ledger", "verify", "--env", "dev")):
        said = dataops(*command)
        assert (said.exit_code, said.out, said.err.startswith(first)) == (1, "", True)
        error = dataops(*command, "--json").json["error"]
        assert (error["code"], error["exit_code"], error["message"].startswith(first)) == ("DP-L042", 1, True)


def test_the_head_says_its_hash_and_that_nobody_signed_it(project: Path, dataops: Run) -> None:
    with lake_of(load_project(project), read_only=True) as lake:
        state = lake.state("dev")
    assert dataops("ledger", "head").text == f"dev event 2 {state.hash} unsigned"
    assert dataops("ledger", "head", "--json").json == {
        "environment": "dev",
        "event": 2,
        "hash": state.hash,
        "signature": "unsigned",
    }


def test_with_a_key_each_event_is_signed_and_the_head_says_by_whom(
    project: Path, dataops: Run, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAOPS_LEDGER_KEY", str(key))
    written(project)
    with attached_once():  # as the steps of a run share a lake
        written(project)
        written(project)
    assert dataops("ledger", "verify", "--json").json[0] | {"faults": ()} == {
        "environment": "dev",
        "events": 5,
        "anchored": 5,
        "signed": 3,
        "faults": (),
    }
    unknown = "signed by a key that allowed_signers does not have (SHA256:"
    assert dataops("ledger", "head", "--json").json["signature"].startswith(unknown)
    (project / "allowed_signers").write_text(f"release-robot {key.with_suffix('.pub').read_text()}")
    assert "signed by release-robot (SHA256:" in dataops("ledger", "head").text


def test_a_signature_of_something_else_is_the_first_bad_event(
    project: Path, dataops: Run, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAOPS_LEDGER_KEY", str(key))
    written(project)
    written(project)
    with lake_of(load_project(project)) as lake:
        lake.connection.execute(
            "update lake._dataops.ledger set signature = (select signature from lake._dataops.ledger "
            "where sequence = 3) where sequence = 4"
        )
    said = dataops("ledger", "verify")
    assert (
        said.exit_code,
        "DP-L042 The ledger fails verification: event 4 of dev: its signature is not one of this event" in said.text,
    ) == (1, True)
    assert "signed wrongly" in dataops("ledger", "head").text


def test_a_key_that_is_not_there_is_told_and_nothing_is_written(
    project: Path, dataops: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAOPS_LEDGER_KEY", str(tmp_path / "none"))
    said = dataops("env", "create", "pr_12", "--from", "dev", "--json")
    assert (said.exit_code, said.json["error"]["code"]) == (2, "DP-L022")
    assert json.loads(dataops("ledger", "verify", "--json").out)[0]["events"] == 2


def test_the_ledger_of_a_dropped_branch_can_still_be_read(in_git: Path, dataops_in: Callable[..., Any]) -> None:
    dataops = dataops_in(in_git)
    assert dataops("env", "create", "pr_12", "--from", "dev").exit_code == 0
    assert dataops("env", "drop", "pr_12").exit_code == 0
    listed = dataops("ledger", "list", "--env", "pr_12", "--json")
    assert (listed.exit_code, len(listed.json) >= 2) == (0, True), listed.text
    assert dataops("ledger", "verify", "--env", "pr_12").exit_code == 0
    never = dataops("ledger", "list", "--env", "pr_13")
    assert (never.exit_code, "DP-P004" in never.text) == (2, True), never.text
