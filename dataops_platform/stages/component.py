"""Puts a step into a Dagster asset. The components of the stages are records that make steps and end here."""

import datetime as dt
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BeforeValidator, ConfigDict

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.errors import DataOpsError, UsedWrongly
from dataops_platform.manifests.manifest import WHOLE, Verdict
from dataops_platform.settings.project import PartitionSettings, Project, load_project, table_name
from dataops_platform.stages.metadata import definition_metadata, outcome_metadata, verdict_metadata
from dataops_platform.stages.step import ContractBroken, Makes, Outcome, RunContext, Step, lake_of

SKIP_TAG = "dataops/skip_unchanged"
CONTRACT_CHECK = "contract"

Result = dg.MaterializeResult[Any] | dg.AssetCheckResult


def _checked_name(value: Any) -> Any:
    return table_name(value) if isinstance(value, str) else value


Name = Annotated[str, BeforeValidator(_checked_name)]


def _checked_date(_: dg.ResolutionContext, value: str) -> dt.date:
    try:
        return dt.date.fromisoformat(value)
    except ValueError as error:
        raise UsedWrongly("DP-S005", f"{value!r} is no date", fix="write it as 2024-01-31, in quotes") from error


Day = Annotated[dt.date, dg.Resolver(_checked_date, model_field_type=str)]


class StrictResolved(dg.Model):
    """A record written in YAML; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class StageComponent(dg.Component, dg.Model, dg.Resolvable):
    """The base of the six stages; give `steps` and the rest follows."""

    model_config = ConfigDict(extra="forbid")

    @abstractmethod
    def steps(self, project: Project) -> Sequence[Step]:
        """The steps this component stands for, in `project`."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One asset (or, for dbt, one group of assets) for each step."""
        project = load_project(Path(context.path))
        return dg.Definitions(assets=[asset_of(step) for step in self.steps(project)])


def asset_of(step: Step) -> dg.AssetsDefinition:
    """The Dagster asset that runs a step; also for assets built in Python beside a team's own."""
    environment = step.project.environment
    partitions_def = _partitions_def(step.partitions)

    @dg.multi_asset(
        name=f"{environment}__{step.makes[0].name if len(step.makes) == 1 else step.stage}",
        specs=[_spec(step, made) for made in step.makes],
        check_specs=[_check_spec(step, made) for made in step.makes if made.contract is not None],
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions_def else None,
    )
    def run_step(context: dg.AssetExecutionContext) -> Iterator[Result]:
        partitions = list(context.partition_keys) if context.has_partition_key or partitions_def else [WHOLE]
        try:
            with lake_of(step.project) as lake:
                outcomes = step.run(lake, _run_context(context, environment), partitions)
        except ContractBroken as error:
            yield from _broken(step, error)
            raise failure_of(error) from None
        except DataOpsError as error:
            raise failure_of(error) from None
        for outcome in outcomes:
            yield from _results(step, outcome)

    return run_step


def _spec(step: Step, made: Makes) -> dg.AssetSpec:
    environment = step.project.environment
    names = step.reads if made.reads is None else made.reads
    owner = made.contract.owner if made.contract else step.project.settings.owner
    return dg.AssetSpec(
        key=[environment, made.name],
        deps=[dg.AssetKey([environment, name]) for name in names],
        description=made.description or None,
        group_name=step.stage,
        owners=[owner],
        kinds=set(made.kinds),
        metadata=definition_metadata(made),
        freshness_policy=freshness_of(made.contract),
    )


def _check_spec(step: Step, made: Makes) -> dg.AssetCheckSpec:
    assert made.contract is not None
    return dg.AssetCheckSpec(
        CONTRACT_CHECK,
        asset=dg.AssetKey([step.project.environment, made.name]),
        description=f"Every row holds {made.contract.path.name} ({len(made.contract.rules)} rules).",
        blocking=True,
    )


def _partitions_def(partitions: PartitionSettings | None) -> dg.PartitionsDefinition[str] | None:
    return dg.StaticPartitionsDefinition(partitions.keys()) if partitions else None


def _run_context(context: dg.AssetExecutionContext, environment: str) -> RunContext:
    def made_here(name: str) -> bool:
        event = context.instance.get_latest_materialization_event(dg.AssetKey([environment, name]))
        return event is not None and event.run_id == context.run.run_id

    return RunContext(
        run_id=context.run.run_id,
        skip_unchanged=context.run.tags.get(SKIP_TAG) == "true",
        made_here=made_here,
        say=context.log.info,
    )


def _results(step: Step, outcome: Outcome) -> Iterator[Result]:
    key = dg.AssetKey([step.project.environment, outcome.name])
    made = next(m for m in step.makes if m.name == outcome.name)
    checks = []
    if made.contract is not None:
        checks.append(
            dg.AssetCheckResult(
                passed=True, asset_key=key, check_name=CONTRACT_CHECK, metadata=verdict_metadata(made, outcome.verdicts)
            )
        )
    yield dg.MaterializeResult(
        asset_key=key,
        data_version=dg.DataVersion(outcome.digest),
        metadata=outcome_metadata(outcome),
        check_results=checks,
    )


def _broken(step: Step, error: ContractBroken) -> Iterator[Result]:
    made = next(m for m in step.makes if m.name == error.asset)
    if made.contract is not None:
        yield dg.AssetCheckResult(
            passed=False,
            asset_key=dg.AssetKey([step.project.environment, error.asset]),
            check_name=CONTRACT_CHECK,
            description=str(error),
            metadata=verdict_metadata(made, _only_failing(error.verdicts)),
        )


def _only_failing(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    return tuple(v for v in verdicts if v.failing_rows)


def freshness_of(contract: Contract | None) -> dg.FreshnessPolicy | None:
    """The freshness that a contract promises, as Dagster watches it."""
    if contract is None or contract.freshness is None:
        return None
    return dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(seconds=contract.freshness.seconds))


def failure_of(error: DataOpsError) -> dg.Failure:
    """An error of the platform as Dagster shows it: never retried, with its code and exit code."""
    metadata: dict[str, str | int] = {"code": error.code, "exit_code": error.exit_code}
    return dg.Failure(description=str(error), metadata=metadata, allow_retries=False)
