"""Releases in Dagster: the plan and its gates on the page of an asset, and jobs that move an environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataops_platform.kit.digests import short
from tests.fixtures.command_line import commit_all
from tests.release.in_dagster.conftest import shown

pytestmark = pytest.mark.journey

Load = Callable[[str], dg.Definitions]
Run = Callable[..., Any]


@pytest.fixture
def planned(location: Load) -> Callable[[str], Any]:
    """Materializes the release of an environment; gives what its page shows and what its checks say."""

    def materialize(environment: str) -> tuple[dict[str, Any], dict[str, tuple[bool, str]]]:
        defs, key = location(environment), dg.AssetKey([environment, "release"])
        job = defs.resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(asset_selection=[key], instance=instance)
        (made,) = result.asset_materializations_for_node(f"{environment}__release")
        checks = {one.check_name: (one.passed, str(one.description)) for one in result.get_asset_check_evaluations()}
        return {name: value.value for name, value in made.metadata.items()}, checks

    return materialize


@pytest.fixture
def job(location: Load) -> Callable[..., Any]:
    """Executes a job of a location, with what somebody wrote in the launchpad."""

    def execute(environment: str, name: str, tags: dict[str, str] | None = None, **config: Any) -> Any:
        found, op = location(environment).resolve_job_def(name), name.partition("_")[0]
        asked = {"ops": {op: {"config": config}}} if config else None
        with dg.DagsterInstance.ephemeral() as instance:
            return found.execute_in_process(run_config=asked, tags=tags, instance=instance, raise_on_error=False)

    return execute


def refusal(result: Any) -> str:
    """What a job that failed says."""
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    data = failed.step_failure_data.user_failure_data
    assert str(data.description).startswith(data.metadata["code"].value)
    return str(data.metadata["code"].value)


@pytest.mark.journey
def test_a_plan_is_on_the_page_with_its_gates_as_checks_and_its_id_carries_it_out(
    project: Path, planned: Callable[[str], Any], job: Callable[..., Any], dataops: Run
) -> None:
    page, checks = planned("staging")
    assert {name: passed for name, (passed, _) in checks.items()} == {"origin": True, "contracts": True, "checks": True}
    assert (page["shows"], page["plan_passes"]) == ("nothing yet", True)
    assert f"dataops promote --to staging --plan {page['plan_id']}" in page["plan"].replace("\\", "")
    moved = job("staging", "promote_to_staging", {"dataops/actor": "eve"}, plan=page["plan_id"])
    assert moved.success
    (made,) = moved.asset_materializations_for_node("promote")
    state = shown(project, "staging")
    assert state.event.kind == "promotion"
    assert (made.asset_key.path, made.metadata["release"].value) == (["staging", "release"], short(state.release))
    assert made.tags["dagster/data_version"] == state.release
    assert made.description == f"promotion by eve (declared), event {state.sequence}"
    assert refusal(job("staging", "promote_to_staging", plan="unknown")) == "DP-L015"


@pytest.mark.journey
def test_a_gate_that_says_no_is_a_failed_check_and_a_failed_job_that_moved_nothing(
    project: Path, planned: Callable[[str], Any], job: Callable[..., Any], dataops: Run
) -> None:
    assert job("staging", "promote_to_staging").success
    page, checks = planned("prod")
    assert checks["approval"] == (False, "0 of 1 by role:release-manager")
    assert (checks["contracts"][0], page["plan_passes"]) == (True, False)
    assert refusal(job("prod", "promote_to_prod", plan=page["plan_id"])) == "DP-G001"
    assert not shown(project, "prod").release
    settings = (project / "dataops.yaml").read_text()
    (project / "dataops.yaml").write_text(settings.replace("gates: [contracts, {approval", "gates: [{approval"))
    assert refusal(job("prod", "promote_to_prod", plan=page["plan_id"])) == "DP-G002", "the gates are others now"


@pytest.mark.journey
def test_rollback_takes_what_the_launchpad_says_and_holds_until_resumed(
    project: Path, job: Callable[..., Any], dataops: Run
) -> None:
    first, _ = _two_releases(project, job, dataops)
    assert refusal(job("staging", "rollback_staging", to="no such state")) == "DP-L011"
    back = job("staging", "rollback_staging", to=short(first), data=False)
    assert back.success
    state = shown(project, "staging")
    assert (state.release, state.held, state.event.kind) == (first, True, "rollback")
    (made,) = back.asset_materializations_for_node("rollback")
    assert "held: dataops resume staging" in str(made.metadata["shows"].value)
    assert job("staging", "resume_staging").success
    assert not shown(project, "staging").held


def test_config_of_the_launchpad_says_just_what_can_be_said(location: Load) -> None:
    jobs = {one.name: one for one in location("staging").jobs or []}
    promote: Any = jobs["promote_to_staging"]
    assert promote.run_config == {"ops": {"promote": {"config": {"release": "", "plan": ""}}}}


def _two_releases(project: Path, job: Callable[..., Any], dataops: Run) -> tuple[str, str]:
    assert job("staging", "promote_to_staging").success
    first = shown(project, "staging").release
    (project / "data" / "customers.csv").write_text("customer,name\nann,Ann\nbob,Bob\ncid,Cid\ndot,Dot\n")
    (project / "README.md").write_text("More customers.\n")
    commit_all(project, "More customers")
    for command in (("run",), ("release", "build")):
        assert dataops(*command).exit_code == 0
    assert job("staging", "promote_to_staging").success
    second = shown(project, "staging").release
    assert first != second
    return first, second
