"""The board: one line for each asset, with its state in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.clock import ago
from dataops_platform.orchestration.assets import DefinedAsset
from dataops_platform.orchestration.reaper import reap
from dataops_platform.orchestration.run_logs import LastMade, Path, RunLog, failed_logs, last_made, unfinished_logs
from dataops_platform.stages.step import STAGES

if TYPE_CHECKING:
    from dagster import DagsterInstance


@dataclass(frozen=True)
class BoardLine:
    """The state of an asset, in words.

    `state` is `SUCCEEDED`, `FAILED`, `CANCELED` or `NOT REACHED` with how long ago, `RUNNING` or `QUEUED` with how
    long, as in `RUNNING 20 S`, or `AWAITING` with what it waits for.
    """

    stage: str
    asset: str
    state: str
    rows: int | None
    refused: int | None


COLUMNS = ("stage", "asset", "state", "rows", "refused")
"""What the command line prints of a line."""


def board(assets: Sequence[DefinedAsset], instance: DagsterInstance, now: datetime) -> list[BoardLine]:
    """Return the state of every asset, in the order of stages and names. Runs whose process died are failed first."""
    reap(instance)
    keys = {asset: tuple(asset.key) for asset in assets}
    last = last_made(instance, list(keys.values()))
    unfinished, failed = unfinished_logs(instance), failed_logs(instance, last.values())
    lines = [_line(asset, key, last.get(key, LastMade()), unfinished, failed, now) for asset, key in keys.items()]
    order = {stage: index for index, stage in enumerate(STAGES)}
    return sorted(lines, key=lambda line: (order.get(line.stage, len(STAGES)), line.asset))


def _line(
    asset: DefinedAsset,
    key: Path,
    last: LastMade,
    unfinished: Sequence[RunLog],
    failed: Mapping[str, RunLog],
    now: datetime,
) -> BoardLine:
    made = last.entry.asset_materialization if last.entry else None
    values: dict[str, Any] = {name: value.value for name, value in made.metadata.items()} if made else {}
    making = next((run for run in unfinished if key in run.planned and key not in run.made), None)
    log = failed.get(last.run_id or "") if last.is_unmade else None
    if making is not None:
        state = _state_in_run(asset, key, making, now)
    elif log is not None:
        state = _how_it_ended(key, log, now)
    elif last.entry is not None:
        state = f"SUCCEEDED {ago(datetime.fromtimestamp(last.entry.timestamp, UTC), now)} AGO"
    else:
        state = _awaiting(asset)
    return BoardLine(asset.stage, key[-1], state, values.get("dagster/row_count"), values.get("rows_refused"))


def _state_in_run(asset: DefinedAsset, key: Path, log: RunLog, now: datetime) -> str:
    if log.record.dagster_run.status.name in ("QUEUED", "NOT_STARTED", "STARTING"):
        return f"QUEUED {ago(log.record.create_timestamp, now)}"
    began = log.began.get(log.planned[key] or "")
    return f"RUNNING {ago(began, now)}" if began else _awaiting(asset)


def _how_it_ended(key: Path, log: RunLog, now: datetime) -> str:
    """Return the state of an asset that an ended run did not make.

    FAILED when its step began and did not succeed, also when the process died in it; else CANCELED or NOT REACHED.
    """
    record, step = log.record, log.planned.get(key)
    ended = datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.update_timestamp
    if step in log.began and step not in log.succeeded:
        state = "FAILED"
    else:
        state = "CANCELED" if record.dagster_run.status.name == "CANCELED" else "NOT REACHED"
    return f"{state} {ago(ended, now)} AGO"


def _awaiting(asset: DefinedAsset) -> str:
    return f"AWAITING {', '.join(asset.reads[:3])}" if asset.reads else "AWAITING its first run"
