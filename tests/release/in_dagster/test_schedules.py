"""The schedule of an environment runs the code that is pinned, when there is something to run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.release.in_dagster.conftest import shown

pytestmark = pytest.mark.journey

Load = Callable[[str], dg.Definitions]


def tick(defs: dg.Definitions) -> Any:
    """What the schedule of prod says at five."""
    schedule: Any = next(one for one in defs.schedules or [] if one.name == "schedule_prod")
    assert (schedule.cron_schedule, schedule.default_status) == ("0 5 * * *", dg.DefaultScheduleStatus.RUNNING)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance=instance, repository_def=defs.get_repository_def())
        return schedule.evaluate_tick(context)


def test_only_environments_with_a_schedule_have_one(location: Load) -> None:
    assert not location("dev").schedules
    assert not location("staging").schedules


@pytest.mark.journey
def test_a_scheduled_run_publishes_new_data_with_the_code_of_the_release(
    project: Path, location: Load, dataops: Callable[..., Any], monkeypatch: Any
) -> None:
    assert tick(location("prod")).skip_message == "prod shows no release yet: dataops promote --to prod"
    monkeypatch.setenv("DATAOPS_ACTOR", "somebody")
    assert dataops("promote", "--to", "staging").exit_code == 0
    plan = dataops("plan", "--to", "prod", "--json").json["id"]
    for command in (("approve", plan), ("promote", "--to", "prod", "--plan", plan)):
        said = dataops(*command)
        assert said.exit_code == 0, said.text
    promoted = shown(project, "prod")

    function = project / "src" / "orders_project" / "cleaning.py"
    function.write_text(function.read_text().replace("strip_chars()", "strip_chars().str.to_uppercase()"))
    (project / "data" / "customers.csv").write_text("customer,name\nann,Ann\nbob,Bob\ncid,Cid\ndot, Dot\n")
    defs = location("prod")
    (request,) = tick(defs).run_requests
    assert request.tags["dagster/asset_partition_range_start"] == "2024-01-01"
    assert request.tags["dagster/asset_partition_range_end"] == "2024-03-01"
    with dg.DagsterInstance.ephemeral() as instance:
        ran = defs.resolve_job_def("run_prod").execute_in_process(tags=request.tags, instance=instance)
    assert ran.success
    now = shown(project, "prod")
    assert (now.release, now.event.kind) == (promoted.release, "publication")
    assert now.publication != promoted.publication
    found = dataops("sql", "select name from customers order by 1", "--env", "prod", "--json").json
    assert [row["name"] for row in found] == ["Ann", "Bob", "Cid", "Dot"], "new data, old code"

    assert dataops("rollback", "prod", "--data").exit_code == 0
    assert tick(defs).skip_message == "prod is held since its rollback: dataops resume prod"
