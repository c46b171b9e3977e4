"""Runs of a project's assets: one Dagster run in this process, visible in the project's instance."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.errors import UsedWrongly, did_you_mean, preview, stopped
from dataops_platform.orchestration.reaper import PROCESS_TAG, reap, this_process
from dataops_platform.settings.project import Project
from dataops_platform.stages.publish.run import PUBLICATION, refuse_held
from dataops_platform.stages.step import CANDIDATES_TAG, SKIP_TAG
from dataops_platform.warehouse.open import attached_once, lake_of

if TYPE_CHECKING:
    from dagster import AssetKey, AssetMaterialization, DagsterInstance, Definitions, EventLogEntry

_FIRST_PARTITION, _LAST_PARTITION = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
_STUB = "dagster/auto_created_stub_asset"
"""Dagster's mark on an asset that it knows only because another one reads it."""


@dataclass(frozen=True)
class Progress:
    """An event of a run: a step `began`, logged a `message`, `made` an asset, or `failed`.

    `text` is the stage or, for `message`, the message.
    """

    kind: str
    asset: str
    text: str = ""
    seconds: float = 0.0
    rows: int | None = None
    refused: int = 0
    unchanged: bool = False


@dataclass(frozen=True)
class Failed:
    """A step that failed: its message, and the code and exit status of its error."""

    step: str
    message: str
    code: str = ""
    exit_code: int = 4


@dataclass(frozen=True)
class RunResult:
    """The result of a run."""

    run_id: str
    success: bool
    failures: tuple[Failed, ...]


def launch(
    project: Project,
    defs: Definitions,
    instance: DagsterInstance,
    *,
    select: Sequence[str] = (),
    partitions: Sequence[str] = (),
    skip_unchanged: bool = True,
    candidates: Mapping[str, str] | None = None,
    watch: Callable[[Progress], None] = lambda _: None,
) -> RunResult:
    """Materialize the assets or stages called `select`, in one run. Return its result.

    `partitions` span from the first to the last of them; none stand for all. What one step makes together, as dbt its
    marts, is made together. An empty `select` stands for everything but releases and, in a guarded environment,
    training. `candidates` are digests of models, by name, that are scored with instead of those shown.

    Raises: UsedWrongly DP-R003 for an unknown asset or stage, DP-R004 for an unknown partition, DP-R005 for an asset
    that is read and that nothing makes, DP-R006 for assets with different partitions, DP-R009 for a partition of assets
    without any; Refused DP-P103, before anything is made, when the environment is held and could not publish.
    """
    reap(instance)
    specs = {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs()}
    _refuse_unmade(specs)
    job = defs.resolve_implicit_global_asset_job_def()
    selected = _together(defs, _selected(select, specs))
    keys = selected or _by_itself(project, specs, job.asset_layer.executable_asset_keys)
    tags = {PROCESS_TAG: this_process(), SKIP_TAG: "true" if skip_unchanged else "false"}
    if candidates:
        tags[CANDIDATES_TAG] = json.dumps(dict(candidates))
    tags |= _partition_tags([s for s in specs.values() if not keys or s.key in keys], partitions)
    run_id = str(uuid.uuid4())
    stages = {name: spec.group_name or "" for name, spec in specs.items()}
    instance.add_event_listener(run_id, _Watcher(stages, tags.get(_LAST_PARTITION, ""), watch))
    with attached_once():
        if project.is_guarded and any(key.path[-1] == PUBLICATION for key in keys):
            with lake_of(project, read_only=True) as lake:
                refuse_held(lake.state(project.environment), project)
        result = job.execute_in_process(
            instance=instance,
            asset_selection=keys or None,
            run_id=run_id,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags=tags,
            raise_on_error=False,
        )
    failures = tuple(_failed(event) for event in result.all_events if event.is_step_failure)
    return RunResult(run_id, result.success, failures)


def _refuse_unmade(specs: Mapping[str, Any]) -> None:
    """Refuse a graph in which an asset reads what nothing makes: a table whose model was deleted, or a typo.

    Raises: UsedWrongly DP-R005.
    """
    keys = {spec.key for spec in specs.values() if not spec.metadata.get(_STUB)}
    for name, spec in specs.items():
        for dep in spec.deps:
            if dep.asset_key not in keys:
                missing, made = dep.asset_key.path[-1], {key.path[-1] for key in keys}
                raise UsedWrongly("DP-R005", asset=name, missing=missing, hint=did_you_mean(missing, made))


def _selected(select: Sequence[str], specs: Mapping[str, Any]) -> list[AssetKey]:
    """Return the keys of assets called so; a stage's name stands for all its assets. Raises: UsedWrongly DP-R003."""
    keys: list[AssetKey] = []
    for name in select:
        found = [spec.key for known, spec in specs.items() if name in (known, spec.group_name)]
        if not found:
            stages = {spec.group_name or "" for spec in specs.values()}
            raise UsedWrongly("DP-R003", name=name, hint=did_you_mean(name, {*specs, *stages}))
        keys += found
    return keys


def _together(defs: Definitions, keys: Sequence[AssetKey]) -> list[AssetKey]:
    """Return the keys, and those of assets that a step cannot leave out when it makes one of them."""
    made = {key: defs.resolve_assets_def(key) for key in keys}
    return list(dict.fromkeys(k for key, by in made.items() for k in ([key] if by.can_subset else sorted(by.keys))))


def _by_itself(project: Project, specs: Mapping[str, Any], keys: Iterable[AssetKey]) -> list[AssetKey]:
    """Return what a run makes without a selection; empty when that is everything."""
    asked_for = {"release", "train"} if project.is_guarded else {"release"}
    left_out = {spec.key for spec in specs.values() if spec.group_name in asked_for}
    return [key for key in keys if key not in left_out] if left_out else []


def _partition_tags(specs: Sequence[Any], partitions: Sequence[str]) -> dict[str, str]:
    """Return the tags of a run over the span from the first to the last of `partitions`; over all when it is empty.

    Raises: UsedWrongly DP-R004, DP-R006 or DP-R009.
    """
    cuts = {spec.partitions_def: spec.key.path[-1] for spec in specs if spec.partitions_def is not None}
    if not cuts:
        if partitions:
            raise UsedWrongly("DP-R009", partition=partitions[0])
        return {}
    if len(cuts) > 1:
        raise UsedWrongly("DP-R006", assets=preview(cuts.values()))
    keys = list(next(iter(cuts)).get_partition_keys())
    for partition in partitions:
        if partition not in keys:
            raise UsedWrongly("DP-R004", partition=partition, hint=did_you_mean(partition, keys))
    chosen = sorted(partitions or keys, key=keys.index)
    return {_FIRST_PARTITION: chosen[0], _LAST_PARTITION: chosen[-1]}


def _failed(event: Any) -> Failed:
    data = event.step_failure_data
    errors = list(_causes(data.error))
    if any(error.cls_name == "DagsterExecutionInterruptedError" for error in errors):
        error = stopped()
        return Failed(event.step_key, str(error), error.code, error.exit_code)
    user = data.user_failure_data
    if user is not None:
        values = {key: value.value for key, value in user.metadata.items()}
        if "code" in values:
            return Failed(event.step_key, user.description or "", values["code"], values["exit_code"])
        return Failed(event.step_key, user.description or user.label)
    text = " ".join(errors[-1].message.split()) if errors else "failed"
    return Failed(event.step_key, text[:600])


def _causes(error: Any) -> Iterator[Any]:
    while error is not None:
        yield error
        error = error.cause


class _Watcher:
    """A listener that turns a run's events, as they happen, into progress."""

    def __init__(self, stages: Mapping[str, str], last_partition: str, watch: Callable[[Progress], None]) -> None:
        self._stages, self._last_partition, self._watch = stages, last_partition, watch
        self._began: dict[str, float] = {}

    def __call__(self, entry: EventLogEntry) -> None:
        progress = self._progress(entry)
        if progress is not None:
            with suppress(OSError):  # the reader may be gone (a closed pipe); the run goes on
                self._watch(progress)

    def _progress(self, entry: EventLogEntry) -> Progress | None:
        import dagster as dg

        event = entry.dagster_event
        if event is None:
            if entry.level != logging.INFO or not entry.step_key:
                return None
            return Progress("message", entry.step_key.partition("__")[2], entry.user_message)
        step = event.step_key or ""
        name = step.partition("__")[2]
        if event.event_type == dg.DagsterEventType.STEP_START:
            self._began[step] = entry.timestamp
            return Progress("began", name, self._stages.get(name, name))
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            return Progress("failed", name, self._stages.get(name, name), entry.timestamp - self._began[step])
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            made = event.step_materialization_data.materialization
            return self._made(made, entry.timestamp - self._began[step])
        return None

    def _made(self, materialization: AssetMaterialization, seconds: float) -> Progress | None:
        """Return the progress of a made asset. One with partitions is reported once, at its last partition."""
        if materialization.partition not in (None, self._last_partition):
            return None
        name = materialization.asset_key.path[-1]
        values: dict[str, Any] = {key: value.value for key, value in materialization.metadata.items()}
        return Progress(
            "made",
            name,
            self._stages.get(name, ""),
            seconds,
            values.get("dagster/row_count"),
            values.get("rows_refused", 0),
            values.get("unchanged", False),
        )
