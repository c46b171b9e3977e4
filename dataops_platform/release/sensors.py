"""The sensor that makes everything follow the ledger: what a command could not reach, and what a hand moved."""

import dagster as dg

from dataops_platform.kit.errors import DataOpsError, UsedWrongly
from dataops_platform.release.jobs import asked_of
from dataops_platform.release.pin import Pinned, pin_of_shown, pinned_commit
from dataops_platform.release.reconcile import reconcile
from dataops_platform.release.reload import RELOADED, reload_location
from dataops_platform.settings.environ import dagster_url
from dataops_platform.settings.project import Project
from dataops_platform.stages.step import lake_of


def reconcile_sensor(project: Project, every_s: int) -> dg.SensorDefinition:
    """`reconcile_<environment>`: on, because what is shown must not wait for somebody to turn it on.

    It also sees when this location runs anything else than the pinned copy of the release that is shown, and has it
    loaded anew, once, where it knows Dagster's web server.
    """

    @dg.sensor(
        name=f"reconcile_{project.environment}",
        minimum_interval_seconds=every_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"`dataops reconcile {project.environment}`: models, aliases and code follow what is shown.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        try:
            asked = asked_of(project)
            with lake_of(asked, read_only=True) as lake:
                state = lake.state(asked.environment)
            if not state.sequence:
                return dg.SkipReason(f"{asked.environment} shows nothing yet")
            with lake_of(asked) as lake:
                done = reconcile(asked, lake)
                pinned = pin_of_shown(asked, lake) if asked.is_guarded else None
        except UsedWrongly as error:
            return dg.SkipReason(str(error))
        except DataOpsError as error:
            context.log.error(str(error))
            return dg.SkipReason(str(error))
        for said in done.put_right:
            context.log.warning(said)
        location = _followed(context, project, pinned) if pinned else ""
        if location:
            context.log.warning(location)
        return dg.SkipReason("; ".join([*done.made, *done.put_right, *filter(None, [location])]) or "all is equal")

    return sensor


def is_stale(project: Project, pinned: Pinned) -> bool:
    """Whether a location that loaded `project` runs another copy, or another interpreter, than what is pinned."""
    return project.root.resolve() != pinned.root.resolve() or not pinned.is_for_this_interpreter


def _followed(context: dg.SensorEvaluationContext, project: Project, pinned: Pinned) -> str:
    """What became of this location where it does not run what is pinned; the cursor says what it was reloaded for."""
    if not is_stale(project, pinned):
        context.update_cursor("")
        return ""
    has = f"commit {commit[:12]}" if (commit := pinned_commit(project)) else "what is checked out"
    stale = f"this location has {has}, not what the release that {project.environment} shows runs with"
    address, origin = dagster_url(), context.code_location_origin
    if not address or origin is None:
        return f"{stale}: reload it"
    if context.cursor == str(pinned):
        return f"{stale}, and to reload it did not help: load it as dataops_platform.locations does"
    said = reload_location(address, origin.location_name)
    if said == RELOADED:
        context.update_cursor(str(pinned))
    return f"{stale}: {said}"
