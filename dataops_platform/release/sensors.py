"""The sensor that reconciles: it completes what a command could not reach, and reverts manual changes."""

from collections.abc import Callable
from functools import partial

import dagster as dg

from dataops_platform.kit.errors import DataOpsError, UsedWrongly
from dataops_platform.orchestration.reload import RELOADED, reload_location
from dataops_platform.release.metadata import build_event, is_news, move_event
from dataops_platform.release.pinned_code.pin import Pinned, pin_of_shown, pinned_commit
from dataops_platform.release.reconciliation.reconcile import Reconciled, reconcile
from dataops_platform.release.release import find_release, releases_of
from dataops_platform.settings.environ import dagster_url
from dataops_platform.settings.project import Project, checkout_of
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of
from dataops_platform.warehouse.session import open_session
from dataops_platform.warehouse.state import State


def reconcile_sensor(project: Project, every_s: int) -> dg.SensorDefinition:
    """Return the sensor `reconcile_<environment>`. It runs by default: reconciling must not wait to be turned on.

    When the code location does not run the pinned copy of the shown release, the sensor has the web server reload it
    once, if its address is known. It reports releases built, promoted or rolled back elsewhere as events of
    `<environment>/release`.
    """

    @dg.sensor(
        name=f"reconcile_{project.environment}",
        minimum_interval_seconds=every_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"`dataops reconcile {project.environment}`: models, aliases and code follow what is shown.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            asked = checkout_of(project)
            # read-only first: opening to write would create a lake where there is none yet
            with lake_of(asked, read_only=True) as lake:
                state = lake.state(asked.environment)
            if not state.sequence:
                return dg.SkipReason(f"{asked.environment} shows nothing yet")
            with open_session(asked) as session:
                done = reconcile(session)
                pinned = pin_of_shown(asked, session.lake) if asked.is_guarded else None
                event = _last_event(asked, session.lake, state, done)
        except UsedWrongly as error:
            return dg.SkipReason(str(error))
        except DataOpsError as error:
            context.log.error(str(error))
            return dg.SkipReason(str(error))
        for message in done.put_right:
            context.log.warning(message)
        location = _followed(context, project, pinned) if pinned else ""
        if location:
            context.log.warning(location)
        message = "; ".join([*done.made, *done.put_right, *filter(None, [location])]) or "all is equal"
        news = [event] if event and is_news(event, _last_reported(context, event)) else []
        return dg.SensorResult(skip_reason=message, asset_events=news)

    return sensor


def _last_event(project: Project, lake: Lake, state: State, done: Reconciled) -> dg.AssetMaterialization | None:
    """Return the event that `<environment>/release` should have last: the move to what is shown, or the last build."""
    if project.is_guarded:
        return move_event(state, find_release(lake, state.release), done) if state.release else None
    built = [release for release in releases_of(lake) if release.built_in == project.environment]
    return build_event(built[-1]) if built else None


def _last_reported(
    context: dg.SensorEvaluationContext, event: dg.AssetMaterialization
) -> dg.AssetMaterialization | None:
    last = context.instance.get_latest_materialization_event(event.asset_key)
    return last.asset_materialization if last else None


def is_stale(project: Project, pinned: Pinned) -> bool:
    """Return whether a location that loaded `project` runs another copy or another interpreter than the pinned one."""
    return project.root.resolve() != pinned.root.resolve() or not pinned.is_for_this_interpreter


def follow_pinned(project: Project, pinned: Pinned, seen: str, reload: Callable[[], str] | None) -> tuple[str, str]:
    """Have the web server load the pinned copy. Return a message (empty: none), and the value of `seen` for next time.

    `seen` is the copy that the web server loaded last, empty at first. The sensor runs in the daemon. When web server
    and daemon were started separately, each has a code server of its own, and the daemon's restarts every minute.
    `project` shows only which copy the daemon's has. So the web server reloads whenever the pinned copy is not the one
    `seen`, and the first time when the daemon's is stale. `reload` is None when no web server is known.
    """
    stale, now = is_stale(project, pinned), str(pinned)
    if not stale and (reload is None or seen in ("", now)):
        return "", now
    has = f"commit {commit[:12]}" if (commit := pinned_commit(project)) else "what is checked out"
    why = (
        f"this location has {has}, not what the release that {project.environment} shows runs with"
        if stale
        else f"the release that {project.environment} shows runs with other code than Dagster's pages have"
    )
    if reload is None:
        return f"{why}: reload it", seen
    if seen == now:
        return f"{why}: it follows in a minute, if it is loaded as dataops_platform.locations does", now
    message = reload()
    return f"{why}: {message}", now if message == RELOADED else seen


def _followed(context: dg.SensorEvaluationContext, project: Project, pinned: Pinned) -> str:
    """Have the web server follow the pinned copy, and return a message. The sensor's cursor stores `seen`."""
    address, origin = dagster_url(), context.code_location_origin
    reload = partial(reload_location, address, origin.location_name) if address and origin else None
    message, seen = follow_pinned(project, pinned, context.cursor or "", reload)
    context.update_cursor(seen)
    return message
