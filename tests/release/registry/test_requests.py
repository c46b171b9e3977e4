"""What a data scientist marks in MLflow is looked at, asked for, and answered there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.release.registry.model_release import Runtime
from dataops_platform.release.registry.model_validation import validate_versions
from dataops_platform.release.registry.requests import answer_requests
from dataops_platform.settings.project import Project, load_project
from dataops_platform.technologies.mlflow.notes import AnnotatedVersion, annotated_version
from dataops_platform.technologies.mlflow.tracking import open_tracking
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.command_line import commit_all
from tests.fixtures.lakes import session_of

pytestmark = pytest.mark.journey

Run = Callable[..., Any]
NAME = "dev.guest.stays"


@pytest.fixture
def project(stays: Path) -> Project:
    return load_project(stays, "dev")


def no_code() -> Runtime:
    raise AssertionError("nothing has to be run")


def ask(project: Project, what: str, version: str = "1", name: str = NAME) -> None:
    open_tracking(project).client.set_model_version_tag(name, version, "dataops.request", what)


def said(project: Project, version: str = "1", name: str = NAME) -> AnnotatedVersion:
    return annotated_version(open_tracking(project).client, name, version)


def test_a_new_version_is_validated_once_and_says_so(project: Project, lake: Lake) -> None:
    client = open_tracking(project).client
    client.update_model_version(NAME, "1", "Trained on a Tuesday.")
    (done,) = validate_versions(session_of(project, lake), no_code)
    marked = said(project)
    assert (done.passed, marked.tags["validation_status"]) == (True, "passed"), done.messages
    assert marked.description.startswith("Trained on a Tuesday.\n\n**dataops: validation**\npassed\n- its files")
    assert validate_versions(session_of(project, lake), no_code) == []


@pytest.mark.parametrize("harm", ["file", "signature", "digest", "stranger"])
def test_a_version_that_is_not_what_it_says_fails(harm: str, project: Project, lake: Lake) -> None:
    client = open_tracking(project).client
    files = Path(client.get_model_version_download_uri(NAME, "1").removeprefix("file://"))
    code = "DP-M021" if harm == "file" else "DP-M001"
    if harm in ("file", "signature"):
        path = files / ("model.skops" if harm == "file" else "MLmodel")
        path.write_bytes(path.read_bytes().replace(b"age", b"ago"))
    elif harm == "digest":
        code = "DP-M020"
        client.set_model_version_tag(NAME, "1", "dataops.digest", "sha256:another")
    else:
        code = "DP-M020"
        client.delete_model_version(NAME, "1")
        client.create_model_version(NAME, source=str(files))
    (done,) = validate_versions(session_of(project, lake), no_code)
    (version,) = client.search_model_versions(f"name = '{NAME}'")
    assert (done.passed, code in done.messages[0]) == (False, True), done.messages
    assert (version.tags["validation_status"], code in version.description) == ("failed", True)


def test_a_request_is_answered_once_where_it_was_made(project: Project, lake: Lake) -> None:
    for what, target in (("promote:staging", "staging"), ("promote:prod", "prod")):
        before = len(lake.events(target))
        ask(project, what)
        (done,) = answer_requests(session_of(project, lake), no_code)
        marked = said(project)
        assert (done.verdict, marked.tags["dataops.answer"]) == ("promoted", "promoted"), done.messages
        assert done.plan.removeprefix("sha256:").startswith(marked.tags["dataops.plan"])
        assert f"**dataops: {what}**\npromoted\n- origin: pass" in marked.description
        assert answer_requests(session_of(project, lake), no_code) == []
        assert len(lake.events(target)) == before, "it is shown already: nothing moves"


@pytest.mark.parametrize(
    ("what", "code"), [("promote:pord", "did you mean 'prod'"), ("promote:dev", "DP-L030"), ("delete:prod", "DP-L030")]
)
def test_a_request_that_means_nothing_is_told(what: str, code: str, project: Project, lake: Lake) -> None:
    ask(project, what)
    (done,) = answer_requests(session_of(project, lake), no_code)
    assert (done.verdict, code in said(project).description) == ("refused", True), done.messages


def test_a_request_waits_for_an_approval_and_is_carried_out_after_it(
    stays: Path, dataops: Run, project: Project, lake: Lake
) -> None:
    path = stays / "dataops.yaml"
    path.write_text(path.read_text().replace("dev, gates: [contracts,", "dev, gates: [{approval: {by: ['*']}},"))
    commit_all(stays, "Somebody says yes")
    ask(project, "promote:staging")
    (done,) = answer_requests(session_of(project, lake), no_code)
    assert done.verdict == "waiting", done.messages
    assert answer_requests(session_of(project, lake), no_code) == [], "nothing happened since"
    assert dataops("approve", said(project).tags["dataops.plan"]).exit_code == 0
    (done,) = answer_requests(session_of(project, lake), no_code)
    assert (done.verdict, said(project).tags["dataops.answer"]) == ("promoted", "promoted"), done.messages
    assert said(project).description.count("dataops: promote:staging") == 1


def test_a_tampered_model_is_refused_and_the_refusal_is_told(project: Project, lake: Lake) -> None:
    files = Path(open_tracking(project).client.get_model_version_download_uri(NAME, "1").removeprefix("file://"))
    (files / "model.pkl").write_bytes(b"evil")
    ask(project, "promote:prod")
    before = lake.state("prod").publication
    (done,) = answer_requests(session_of(project, lake), no_code)
    assert (done.verdict, "DP-M001" in done.messages[-1]) == ("refused", True), done.messages
    assert lake.state("prod").publication == before


@pytest.mark.journey
def test_the_alias_candidate_releases_a_retrained_model_in_place(stays: Path, dataops: Run, project: Project) -> None:
    (stays / "data" / "shift.txt").write_text("5")
    for command in ("run --env prod --select signups,members,stays", "run --env prod"):
        assert dataops(*command.split()).exit_code == 0
    with lake_of(project) as lake:
        candidate = lake.heads("prod")["stays"]
    validated = dataops("registry", "validate", "--env", "prod")
    assert validated.exit_code == 0, validated.text
    assert "prod, contracts: pass" in validated.text
    client = open_tracking(project).client
    client.set_registered_model_alias("prod.guest.stays", "candidate", candidate.version)
    answered = dataops("registry", "answer", "--env", "prod", "--json")
    assert [one["verdict"] for one in answered.json] == ["promoted"], answered.text
    with lake_of(project) as lake:
        state = lake.state("prod")
        model = state.cut.member("stays")
    assert model and model.digest == candidate.digest
    aliases = client.get_registered_model("prod.guest.stays").aliases
    assert str(aliases["champion"]) == candidate.version
    assert dataops("registry", "answer", "--env", "prod", "--json").json == []
