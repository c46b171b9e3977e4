"""The same through Dagster: sensors see what is new in MLflow, jobs do the work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataops_platform.orchestration.instance import open_instance
from dataops_platform.release.registry.sensors import registry_defs
from dataops_platform.release.sensors import reconcile_sensor
from dataops_platform.settings.project import load_project
from dataops_platform.technologies.mlflow.notes import annotated_version
from dataops_platform.technologies.mlflow.tracking import open_tracking

pytestmark = pytest.mark.journey


def tick(defs: dg.Definitions, name: str, instance: dg.DagsterInstance | None = None) -> Any:
    """What a sensor says now."""
    sensor: Any = next(one for one in defs.sensors or [] if one.name == name)
    with nullcontext(instance) if instance else dg.DagsterInstance.ephemeral() as found:
        context = dg.build_sensor_context(instance=found, repository_def=defs.get_repository_def())
        return sensor.evaluate_tick(context)


def test_sensors_start_what_is_asked_for_once_and_jobs_do_it(stays: Path) -> None:
    project = load_project(stays, "dev")
    client = open_tracking(project).client
    client.set_model_version_tag("dev.guest.stays", "1", "dataops.request", "promote:staging")
    defs = registry_defs(project, 60)

    def asked() -> list[dg.RunRequest]:
        return list(tick(defs, "registry_dev").run_requests or [])

    requests = asked()
    assert [one.job_name for one in requests] == ["validate_models_dev", "answer_requests_dev"]
    assert [one.run_key for one in requests] == [one.run_key for one in asked()], "one run each, however often seen"
    with open_instance(project) as instance:
        for one in requests:
            job = defs.resolve_job_def(str(one.job_name))
            assert job.execute_in_process(run_config=one.run_config, instance=instance).success
    marked = annotated_version(client, "dev.guest.stays", "1")
    assert (marked.tags["validation_status"], marked.tags["dataops.answer"]) == ("passed", "promoted")
    assert asked() == []


def test_the_sensor_puts_back_what_a_hand_moved(stays: Path) -> None:
    project = load_project(stays, "prod")
    client = open_tracking(project).client
    client.delete_registered_model_alias("prod.guest.stays", "champion")
    defs = dg.Definitions(sensors=[reconcile_sensor(project, 60)])
    first, second = (str(tick(defs, "reconcile_prod").skip_message).split("; ") for _ in range(2))
    assert "prod.guest.stays: champion is version 1 now" in first
    assert not [said for said in second if "champion" in said]


@pytest.mark.parametrize(("environment", "said"), [("dev", "built"), ("prod", "promotion")])
def test_the_sensor_tells_dagsters_page_once_of_what_was_done_elsewhere(
    environment: str, said: str, stays: Path
) -> None:
    defs = dg.Definitions(sensors=[reconcile_sensor(load_project(stays, environment), 60)])
    with dg.DagsterInstance.ephemeral() as instance:
        (told,) = tick(defs, f"reconcile_{environment}", instance).asset_events
        assert (told.asset_key.path, told.description.partition(" by ")[0]) == ([environment, "release"], said)
        assert {"release", "commit", "members"} <= set(told.metadata)
        instance.report_runless_asset_event(told)
        assert tick(defs, f"reconcile_{environment}", instance).asset_events == []


def test_sensors_wait_where_nothing_was_ever_made(orders: Path) -> None:
    project = load_project(orders, "dev")
    assert tick(registry_defs(project, 60), "registry_dev").skip_message == "nothing was ever made here"
    assert not (orders / ".dataops" / "mlflow.sqlite").exists()


def test_a_race_between_answers_is_nobodys_loss(stays: Path, dataops: Callable[..., Any]) -> None:
    """The command where no daemon runs does the same, and finds nothing left to do."""
    client = open_tracking(load_project(stays, "dev")).client
    client.set_model_version_tag("dev.guest.stays", "1", "dataops.request", "promote:prod")
    assert [one["verdict"] for one in dataops("registry", "answer", "--json").json] == ["promoted"]
    assert dataops("registry", "answer").out == "no open request\n"
    assert dataops("registry", "validate").exit_code == 0
