"""The sensor for new versions and requests in MLflow, and the jobs that validate and answer them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import dagster as dg
from pydantic import Field

from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import DataOpsError, UsedWrongly
from dataops_platform.orchestration.definitions import load_definitions
from dataops_platform.orchestration.instance import open_instance
from dataops_platform.orchestration.jobs import job_of
from dataops_platform.release.registry.model_release import Runtime
from dataops_platform.release.registry.model_validation import new_versions, validate_versions
from dataops_platform.release.registry.requests import answer_requests, open_requests
from dataops_platform.settings.environ import actor_of_run
from dataops_platform.settings.project import Project
from dataops_platform.stages.component import failure_of
from dataops_platform.warehouse.open import lake_of
from dataops_platform.warehouse.session import Session, open_session


class ValidateConfig(dg.Config):
    """The versions to validate."""

    versions: list[str] = Field(default=[], description="As NAME:NUMBER; all that are new when empty.")


def registry_defs(project: Project, every_s: int) -> dg.Definitions:
    """Return the jobs `validate_models_<environment>` and `answer_requests_<environment>`, and the sensor for them."""
    environment = project.environment

    @dg.op(name="validate_models", description="Validates new versions of the environment's models.")
    def validate_op(context: dg.OpExecutionContext, config: ValidateConfig) -> None:
        with _failures_told(), _session_of(context, project) as session, code_of(project) as code:
            for done in validate_versions(session, code, config.versions):
                context.log.info(f"{done.version}: {'passed' if done.passed else 'failed'}: {'; '.join(done.messages)}")

    @dg.op(name="answer_requests", description="Answers what is asked for in MLflow.")
    def answer_op(context: dg.OpExecutionContext) -> None:
        with _failures_told(), _session_of(context, project) as session, code_of(project) as code:
            for done in answer_requests(session, code):
                context.log.info(f"{done.version}, {done.asked}: {done.verdict}: {'; '.join(done.messages)}")

    validate_job = job_of(
        validate_op,
        f"validate_models_{environment}",
        f"`dataops registry validate --env {environment}`: files, signature, types, gates of new models.",
        ValidateConfig(),
    )
    answer_job = job_of(
        answer_op,
        f"answer_requests_{environment}",
        f"`dataops registry answer --env {environment}`: promotions that are asked for in MLflow.",
    )

    @dg.sensor(
        name=f"registry_{environment}",
        jobs=[validate_job, answer_job],
        minimum_interval_seconds=every_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts the validation of new versions, and the answer to requests, as they are seen in MLflow.",
    )
    def registry() -> Iterator[dg.RunRequest | dg.SkipReason]:
        yield from run_requests(project)

    return dg.Definitions(jobs=[validate_job, answer_job], sensors=[registry])


def run_requests(project: Project) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Yield a run for each new version, and one for all open requests. Run keys prevent repeated runs."""
    environment, found = project.environment, False
    if not _has_lake(project):
        yield dg.SkipReason("nothing was ever made here")
        return
    for marked in new_versions(project):
        found, version = True, f"{marked.name}:{marked.version}"
        config = dg.RunConfig(ops={"validate_models": ValidateConfig(versions=[version])})
        yield dg.RunRequest(run_key=version, run_config=config, job_name=f"validate_models_{environment}")
    with open_session(project, read_only=True) as session:
        requests, lake = open_requests(session), session.lake
        sequences = [lake.state(name).sequence for name in lake.environments()]
    if requests:
        asked = [[str(one.marked), one.asked] for one in requests]
        key = f"answer {short(digest_of([asked, sequences]))}"
        yield dg.RunRequest(run_key=key, job_name=f"answer_requests_{environment}")
    elif not found:
        yield dg.SkipReason("no new version and no open request")


def _session_of(context: dg.OpExecutionContext, project: Project) -> AbstractContextManager[Session]:
    return open_session(project, actor=actor_of_run(context.run.tags))


@contextmanager
def code_of(project: Project) -> Iterator[Callable[[], Runtime]]:
    """Open the project's Dagster instance, and yield a function that loads the definitions when it is called."""
    with open_instance(project) as instance:
        yield lambda: Runtime(load_definitions(project), instance)


def _has_lake(project: Project) -> bool:
    try:
        lake_of(project, read_only=True).connection.close()
    except UsedWrongly:
        return False
    return True


@contextmanager
def _failures_told() -> Iterator[None]:
    try:
        yield
    except DataOpsError as error:
        raise failure_of(error) from None
