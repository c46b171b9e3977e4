"""Jobs for the commands `promote`, `rollback` and `resume` of a guarded environment."""

from collections.abc import Callable
from functools import partial

import dagster as dg
from pydantic import Field

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import DataOpsError
from dataops_platform.orchestration.jobs import job_of
from dataops_platform.release.metadata import move_event
from dataops_platform.release.promotion.preflight import refuse_other_models
from dataops_platform.release.promotion.promote import find_plan, promote, propose, release_for
from dataops_platform.release.promotion.switch import resume, roll_back
from dataops_platform.release.reconciliation.reconcile import follow_switch
from dataops_platform.release.release import find_release
from dataops_platform.settings.environ import actor_of_run
from dataops_platform.settings.project import Project, checkout_of
from dataops_platform.stages.component import failure_of
from dataops_platform.warehouse.session import Session, open_session
from dataops_platform.warehouse.state import State


class PromoteConfig(dg.Config):
    """The release to promote, and the plan to carry out."""

    release: str = Field(default="", description="The beginning of a release's id; empty: what its origin shows.")
    plan: str = Field(default="", description="The beginning of a plan's id: carry out just this one. Empty: make one.")


class RollbackConfig(dg.Config):
    """The state to return to."""

    to: str = Field(
        default="",
        description="An event's number, or the beginning of a release or publication; empty: the one before.",
    )
    data: bool = Field(default=False, description="Only the data: the publication before, within the same release.")


def move_jobs(project: Project) -> list[dg.JobDefinition]:
    """Return the jobs `promote_to_<environment>`, `rollback_<environment>` and `resume_<environment>`."""
    environment = project.environment

    @dg.op(name="promote", description="Shows a release, if every gate lets it pass.")
    def promote_op(context: dg.OpExecutionContext, config: PromoteConfig) -> None:
        def work(session: Session) -> State:
            plan = find_plan(session.lake, config.plan) if config.plan else None
            return promote(session, plan or propose(session, release_for(session, config.release)))

        _move(context, project, work)

    @dg.op(name="rollback", description="Shows an earlier state again, and holds the environment.")
    def rollback_op(context: dg.OpExecutionContext, config: RollbackConfig) -> None:
        def work(session: Session) -> State:
            prepare = partial(refuse_other_models, session.project)
            return roll_back(session, config.to, data=config.data, prepare=prepare)

        _move(context, project, work)

    @dg.op(name="resume", description="Lets the environment publish again.")
    def resume_op(context: dg.OpExecutionContext) -> None:
        _move(context, project, resume)

    return [
        job_of(
            promote_op,
            f"promote_to_{environment}",
            f"`dataops promote --to {environment}`: code, data, models and contracts, in one switch.",
            PromoteConfig(),
        ),
        job_of(
            rollback_op,
            f"rollback_{environment}",
            f"`dataops rollback {environment}`: an earlier state, held until it is resumed.",
            RollbackConfig(),
        ),
        job_of(resume_op, f"resume_{environment}", f"`dataops resume {environment}`: it may publish again."),
    ]


def _move(context: dg.OpExecutionContext, project: Project, work: Callable[[Session], State]) -> None:
    """Run `work`, reconcile, and report the new state as an event of `<environment>/release`."""
    try:
        with open_session(checkout_of(project), actor=actor_of_run(context.run.tags)) as session:
            state = work(session)
            followed = follow_switch(session)
            release = find_release(session.lake, state.release) if state.release else None
    except DataOpsError as error:
        raise failure_of(error) from None
    context.log.info(f"{state.environment} shows release {short(state.release)} (event {state.sequence})")
    for message in (*followed.made, *followed.put_right):
        context.log.info(message)
    if followed.failed:
        context.log.error(followed.failed)
    context.log_event(move_event(state, release, followed))
