"""The board: one line for each asset, with the words of the whole team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.clock import Clock, ago, utc_now
from dataops_platform.settings.project import Project
from dataops_platform.stages.step import STAGES

if TYPE_CHECKING:
    from dagster import AssetKey, DagsterInstance, DagsterRun, Definitions


@dataclass(frozen=True)
class BoardLine:
    """An asset's state: `SUCCEEDED 5 MIN AGO`, `FAILED 2 H AGO`, `RUNNING 20 S`, `QUEUED 3 MIN` or `AWAITING …`."""

    stage: str
    asset: str
    state: str
    rows: int | None
    refused: int | None


def board(project: Project, defs: Definitions, instance: DagsterInstance, clock: Clock = utc_now) -> list[BoardLine]:
    """The state of every asset, stages in order, assets by name. Runs whose process died are failed first."""
    from dataops_platform.orchestration.reaper import reap, unfinished_runs

    reap(instance)
    specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    unfinished = unfinished_runs(instance)
    lines = []
    for key, spec in specs.items():
        event = instance.get_latest_materialization_event(key)
        metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
        values: dict[str, Any] = {name: value.value for name, value in metadata.items()}
        lines.append(
            BoardLine(
                spec.group_name or "",
                key.path[-1],
                _state(key, spec, instance, unfinished, clock()),
                values.get("dagster/row_count"),
                values.get("rows_refused"),
            )
        )
    order = {stage: index for index, stage in enumerate(STAGES)}
    return sorted(lines, key=lambda line: (order.get(line.stage, len(STAGES)), line.asset))


def _state(key: AssetKey, spec: Any, instance: DagsterInstance, unfinished: list[DagsterRun], now: datetime) -> str:
    for run in unfinished:
        if run.asset_selection is None or key in run.asset_selection:
            state = _state_in_run(key, spec, instance, run, now)
            if state:
                return state
    return _last_state(key, spec, instance, now)


def _state_in_run(key: AssetKey, spec: Any, instance: DagsterInstance, run: DagsterRun, now: datetime) -> str:
    """Empty where the run does not make the asset, as one of a job without assets, or has made it."""
    is_planned, step = False, None
    for entry in instance.all_logs(run.run_id):
        event = entry.dagster_event
        if event is None or event.asset_key != key:
            continue
        if event.is_step_materialization:
            return ""
        if event.event_type_value == "ASSET_MATERIALIZATION_PLANNED":
            is_planned, step = True, event.step_key
    if not is_planned:
        return ""
    if run.status.name in ("QUEUED", "NOT_STARTED", "STARTING"):
        record = instance.get_run_record_by_id(run.run_id)
        return f"QUEUED {ago(record.create_timestamp, now)}" if record else "QUEUED"
    began = _step_start(instance, run.run_id, step)
    return f"RUNNING {ago(began, now)}" if began else _awaiting(spec)


def _step_start(instance: DagsterInstance, run_id: str, step: str | None) -> datetime | None:
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is not None and event.event_type_value == "STEP_START" and event.step_key == step:
            return datetime.fromtimestamp(entry.timestamp, UTC)
    return None


def _last_state(key: AssetKey, spec: Any, instance: DagsterInstance, now: datetime) -> str:
    event = instance.get_latest_materialization_event(key)
    records = instance.get_asset_records([key])
    last_run = records[0].asset_entry.last_run_id if records else None
    if last_run and (event is None or event.run_id != last_run):
        record = instance.get_run_record_by_id(last_run)
        if record is not None and record.dagster_run.status.name in ("FAILURE", "CANCELED"):
            ended = datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.update_timestamp
            return f"{_how_it_ended(key, instance, record)} {ago(ended, now)} AGO"
    if event is None:
        return _awaiting(spec)
    return f"SUCCEEDED {ago(datetime.fromtimestamp(event.timestamp, UTC), now)} AGO"


def _how_it_ended(key: AssetKey, instance: DagsterInstance, record: Any) -> str:
    """FAILED when its step began and did not succeed, also when the process died in it."""
    planned, began, succeeded = set(), set(), set()
    for entry in instance.all_logs(record.dagster_run.run_id):
        event = entry.dagster_event
        if event is None:
            continue
        kind = event.event_type_value
        if kind == "ASSET_MATERIALIZATION_PLANNED" and event.asset_key == key:
            planned.add(event.step_key)
        elif kind == "STEP_START":
            began.add(event.step_key)
        elif kind == "STEP_SUCCESS":
            succeeded.add(event.step_key)
    if planned & (began - succeeded):
        return "FAILED"
    return "CANCELED" if record.dagster_run.status.name == "CANCELED" else "NOT REACHED"


def _awaiting(spec: Any) -> str:
    names = [dep.asset_key.path[-1] for dep in spec.deps]
    return f"AWAITING {', '.join(names[:3])}" if names else "AWAITING its first run"
