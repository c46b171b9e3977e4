"""Dagster assets, made from steps. A stage's component is a record that makes steps."""

import datetime as dt
import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BeforeValidator, ConfigDict

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.clock import utc_now
from dataops_platform.kit.errors import DataOpsError, UsedWrongly
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.settings.environ import actor_of_run
from dataops_platform.settings.project import PartitionSettings, Project, load_project, table_name
from dataops_platform.stages.audit import ContractBroken
from dataops_platform.stages.checks import check_specs, contract_result, rule_results
from dataops_platform.stages.guard import refuse_other_code
from dataops_platform.stages.metadata import definition_metadata, outcome_metadata, partition_metadata
from dataops_platform.stages.rule_checks import rule_checks
from dataops_platform.stages.step import CANDIDATES_TAG, SKIP_TAG, Makes, Outcome, RunContext, Step, made_by
from dataops_platform.stages.tags import table_tags
from dataops_platform.warehouse.open import lake_of

Result = dg.MaterializeResult[Any] | dg.AssetCheckResult


def _checked_name(value: Any) -> Any:
    return table_name(value) if isinstance(value, str) else value


AssetName = Annotated[str, BeforeValidator(_checked_name)]


def _checked_date(_: dg.ResolutionContext, value: str) -> dt.date:
    try:
        return dt.date.fromisoformat(value)
    except ValueError as error:
        raise UsedWrongly("DP-S005", value=value) from error


DayField = Annotated[dt.date, dg.Resolver(_checked_date, model_field_type=str)]


class StrictResolved(dg.Model, dg.Resolvable):
    """A record written in YAML; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class StageComponent(dg.Component, StrictResolved):
    """The base of the stages' components. A subclass defines `steps`."""

    @abstractmethod
    def steps(self, project: Project) -> Sequence[Step]:
        """Return the steps of this component in `project`."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return one asset (for dbt, one group of assets) for each step."""
        project = load_project(Path(context.path))
        return dg.Definitions(assets=[asset_of(step) for step in self.steps(project)])


def asset_of(step: Step) -> dg.AssetsDefinition:
    """Return the Dagster asset that runs a step. A team can call it for steps that it builds in Python."""
    environment = step.project.environment
    partitions_def = _partitions_def(step.partitions)

    @dg.multi_asset(
        name=f"{environment}__{step.makes[0].name if len(step.makes) == 1 else step.stage}",
        specs=[_spec(step, made) for made in step.makes],
        check_specs=[spec for made in step.makes for spec in _check_specs(step, made)],
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions_def else None,
    )
    def run_step(context: dg.AssetExecutionContext) -> Iterator[Result]:
        partitions = list(context.partition_keys) if context.has_partition_key or partitions_def else [WHOLE]
        try:
            with lake_of(step.project) as lake:
                state = lake.state(environment)
                refuse_other_code(step.project, state)
                with lake.bound_to(state):
                    outcomes = step.run(lake, _run_context(context, environment), partitions)
        except ContractBroken as error:
            yield from _broken(step, error)
            raise failure_of(error) from None
        except DataOpsError as error:
            raise failure_of(error) from None
        for outcome in outcomes:
            for partition, metadata in partition_metadata(outcome).items():
                if partition in partitions:  # Dagster does not know those that the project dropped
                    context.add_asset_metadata(metadata, _key(step, outcome.name), partition)
            yield from _results(step, outcome)

    return run_step


def _key(step: Step, name: str) -> dg.AssetKey:
    return dg.AssetKey([step.project.environment, name])


def _spec(step: Step, made: Makes) -> dg.AssetSpec:
    environment = step.project.environment
    names = step.reads if made.reads is None else made.reads
    owner = made.contract.owner if made.contract else step.project.settings.owner
    return dg.AssetSpec(
        key=_key(step, made.name),
        deps=[dg.AssetKey([environment, name]) for name in names],
        description=made.description or None,
        code_version=made_by(step.code, step.config, made.contract),
        group_name=step.stage,
        owners=[owner],
        kinds=set(made.kinds),
        tags=table_tags(made.contract) if made.contract else None,
        metadata=definition_metadata(made),
        freshness_policy=freshness_of(made.contract),
    )


def _check_specs(step: Step, made: Makes) -> list[dg.AssetCheckSpec]:
    if made.contract is None:
        return []
    return check_specs(_key(step, made.name), made.contract, rule_checks(made.contract))


def _partitions_def(partitions: PartitionSettings | None) -> dg.PartitionsDefinition[str] | None:
    return dg.StaticPartitionsDefinition(partitions.keys()) if partitions else None


def _run_context(context: dg.AssetExecutionContext, environment: str) -> RunContext:
    def made_here(name: str) -> bool:
        event = context.instance.get_latest_materialization_event(dg.AssetKey([environment, name]))
        return event is not None and event.run_id == context.run.run_id

    return RunContext(
        run_id=context.run.run_id,
        actor=actor_of_run(context.run.tags),
        clock=utc_now,
        skip_unchanged=context.run.tags.get(SKIP_TAG) == "true",
        made_here=made_here,
        say=context.log.info,
        candidates=json.loads(context.run.tags.get(CANDIDATES_TAG, "{}")),
    )


def _results(step: Step, outcome: Outcome) -> Iterator[Result]:
    made = next(m for m in step.makes if m.name == outcome.name)
    yield dg.MaterializeResult(
        asset_key=_key(step, outcome.name),
        data_version=dg.DataVersion(outcome.digest),
        metadata=outcome_metadata(outcome),
        check_results=_check_results(_key(step, outcome.name), made.contract, outcome) if made.contract else [],
    )


def _check_results(key: dg.AssetKey, contract: Contract, outcome: Outcome) -> list[dg.AssetCheckResult]:
    """Return the results of the contract's check, on this run's partitions, and of single rules, on all current rows.

    Dagster keeps one result for a check: a clean partition must not hide the warning of another.
    """
    rows = {"rows_in": outcome.rows_in, "rows_refused": outcome.rows_refused}
    held = contract_result(key, contract, outcome.verdicts, rows)
    return [held, *rule_results(key, rule_checks(contract), outcome.standing_verdicts)]


def _broken(step: Step, error: ContractBroken) -> Iterator[Result]:
    """Yield the failed result of the contract's check.

    Single rules have no result: they report on current rows, which the refused write did not change.
    """
    made = next(m for m in step.makes if m.name == error.asset)
    if made.contract is not None:
        yield contract_result(_key(step, error.asset), made.contract, error.verdicts, {}, str(error))


def freshness_of(contract: Contract | None) -> dg.FreshnessPolicy | None:
    """Return the freshness that a contract promises as Dagster's policy, or None."""
    if contract is None or contract.freshness is None:
        return None
    return dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(seconds=contract.freshness.seconds))


def failure_of(error: DataOpsError) -> dg.Failure:
    """Return an error of the platform as a Dagster failure: never retried, with its code and exit status."""
    metadata: dict[str, str | int] = {"code": error.code, "exit_code": error.exit_code}
    return dg.Failure(description=str(error), metadata=metadata, allow_retries=False)
