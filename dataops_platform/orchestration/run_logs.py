"""Assets in Dagster's storage: how each was last made, and the events of runs that have not ended or that failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import AssetKey, DagsterInstance, EventLogEntry, RunRecord

Path = tuple[str, ...]
"""The path of an asset's key."""


@dataclass(frozen=True)
class LastMade:
    """How an asset was last made, and the id of the last run that was to make it."""

    entry: EventLogEntry | None = None
    run_id: str | None = None

    @property
    def is_unmade(self) -> bool:
        """Whether that run did not make it."""
        return self.run_id is not None and (self.entry is None or self.entry.run_id != self.run_id)


@dataclass(frozen=True)
class RunLog:
    """The events of a run: the step of each planned asset, what it made, when steps began, which succeeded."""

    record: RunRecord
    planned: dict[Path, str | None]
    made: set[Path]
    began: dict[str, datetime]
    succeeded: set[str]


def last_made(instance: DagsterInstance, paths: Sequence[Path]) -> dict[Path, LastMade]:
    """Return how each asset was last made, by one query. Assets that no run was to make are left out."""
    import dagster as dg

    found = (record.asset_entry for record in instance.get_asset_records([dg.AssetKey(list(path)) for path in paths]))
    return {_path(entry.asset_key): LastMade(entry.last_materialization, entry.last_run_id) for entry in found}


def unfinished_logs(instance: DagsterInstance) -> list[RunLog]:
    """Return the logs of the runs that have not ended, those that have not begun included."""
    import dagster as dg

    wanted = [s for s in dg.DagsterRunStatus if s.name in ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")]
    return [_read_log(instance, r) for r in instance.get_run_records(filters=dg.RunsFilter(statuses=wanted))]


def failed_logs(instance: DagsterInstance, lasts: Iterable[LastMade]) -> dict[str, RunLog]:
    """Return, by id, the logs of runs that failed or were cancelled before they made an asset of their plan."""
    import dagster as dg

    asked = sorted({last.run_id for last in lasts if last.run_id and last.is_unmade})
    if not asked:
        return {}
    ended = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    records: Collection[RunRecord] = instance.get_run_records(filters=dg.RunsFilter(run_ids=asked, statuses=ended))
    return {record.dagster_run.run_id: _read_log(instance, record) for record in records}


def _read_log(instance: DagsterInstance, record: RunRecord) -> RunLog:
    log = RunLog(record, {}, set(), {}, set())
    for entry in instance.all_logs(record.dagster_run.run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.event_type_value == "ASSET_MATERIALIZATION_PLANNED" and event.asset_key:
            log.planned[_path(event.asset_key)] = event.step_key
        elif event.is_step_materialization and event.asset_key:
            log.made.add(_path(event.asset_key))
        elif event.event_type_value == "STEP_START" and event.step_key:
            log.began.setdefault(event.step_key, datetime.fromtimestamp(entry.timestamp, UTC))
        elif event.event_type_value == "STEP_SUCCESS" and event.step_key:
            log.succeeded.add(event.step_key)
    return log


def _path(key: AssetKey) -> Path:
    return tuple(key.path)
