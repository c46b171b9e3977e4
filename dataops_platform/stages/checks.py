"""The checks of a contract in Dagster: a blocking one for the whole contract, and others for single rules."""

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from dataops_platform.contracts.contract import Contract
from dataops_platform.manifests.manifest import Verdict
from dataops_platform.stages.metadata import verdict_metadata
from dataops_platform.stages.rule_checks import CONTRACT_CHECK, RuleCheck, finding_of


def check_specs(
    key: dg.AssetKey,
    contract: Contract,
    checks: Sequence[RuleCheck],
    partitions_def: dg.PartitionsDefinition[Any] | None = None,
) -> list[dg.AssetCheckSpec]:
    """Return the specs of the check of the whole contract, which blocks, and of checks of single rules, which do not.

    With `partitions_def`, that of the asset, each partition has its own results.
    """
    descriptions = {CONTRACT_CHECK: f"Every row holds {contract.path.name} ({len(contract.rules)} rules)."}
    descriptions |= {check.name: check.description for check in checks}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of checks are in preview in Dagster 1.13
        return [
            dg.AssetCheckSpec(
                name, asset=key, description=text, blocking=name == CONTRACT_CHECK, partitions_def=partitions_def
            )
            for name, text in descriptions.items()
        ]


Answers = Iterator[dg.AssetCheckResult]


def checks_of_value(
    key: dg.AssetKey, specs: Sequence[dg.AssetCheckSpec], answer: Callable[[Any, Sequence[str] | None], Answers]
) -> dg.AssetChecksDefinition:
    """Return all checks of an asset, evaluated by one call with the asset's value and the run's partitions.

    Partitions that were never made are left out of the value, where the IO manager supports it.
    """

    def check(context: dg.AssetCheckExecutionContext, rows: Any) -> Answers:
        yield from _selected(context, answer(rows, _partitions(context, key)))

    given = dg.In(metadata={"allow_missing_partitions": True})
    return _checks_definition(key, specs, {"rows": given}, check)


def checks_alone(
    key: dg.AssetKey, specs: Sequence[dg.AssetCheckSpec], answer: Callable[[], Answers]
) -> dg.AssetChecksDefinition:
    """Return all checks of an asset, evaluated by one call after the asset was made."""

    def check(context: dg.AssetCheckExecutionContext) -> Answers:
        yield from _selected(context, answer())

    return _checks_definition(key, specs, {"made": dg.In(dg.Nothing)}, check)


def _checks_definition(
    key: dg.AssetKey, specs: Sequence[dg.AssetCheckSpec], ins: Mapping[str, dg.In], check: Callable[..., Answers]
) -> dg.AssetChecksDefinition:
    name = re.sub(r"\W", "_", f"{key.to_python_identifier()}_{CONTRACT_CHECK}", flags=re.ASCII)
    outs = {spec.name: dg.Out(None, is_required=False) for spec in specs}
    made: dg.AssetChecksDefinition = dg.AssetChecksDefinition.create(
        keys_by_input_name=dict.fromkeys(ins, key),
        node_def=dg.op(name=name, ins=ins, out=outs)(check),
        check_specs_by_output_name={spec.name: spec for spec in specs},
        can_subset=True,
    )
    return made


def _selected(context: dg.AssetCheckExecutionContext, answers: Answers) -> Answers:
    selected = {check.name for check in context.selected_asset_check_keys}
    return (answer for answer in answers if answer.check_name in selected)


def _partitions(context: dg.AssetCheckExecutionContext, key: dg.AssetKey) -> Sequence[str] | None:
    """Return the partitions of a run, empty when it names none. None for an asset without partitions."""
    if context.job_def.asset_layer.get(key).partitions_def is None:
        return None
    return context.partition_keys if context.has_partition_key or context.has_partition_key_range else ()


def contract_result(
    key: dg.AssetKey,
    contract: Contract,
    verdicts: Sequence[Verdict],
    shown: Mapping[str, Any],
    broken: str = "",
) -> dg.AssetCheckResult:
    """Return the result of the check of the whole contract, with the verdict on each rule and what is `shown` besides.

    `broken` says how the contract is broken, and is empty where it holds.
    """
    return dg.AssetCheckResult(
        passed=not broken,
        asset_key=key,
        check_name=CONTRACT_CHECK,
        description=broken or None,
        metadata={**verdict_metadata(contract, verdicts), **shown},
    )


def rule_results(
    key: dg.AssetKey, checks: Sequence[RuleCheck], verdicts: Mapping[str, Sequence[Verdict]]
) -> list[dg.AssetCheckResult]:
    """Return the results of the checks of single rules, from the verdicts by partition (`""`: the whole)."""
    return [_result(key, check, verdicts) for check in checks]


def _result(key: dg.AssetKey, check: RuleCheck, verdicts: Mapping[str, Sequence[Verdict]]) -> dg.AssetCheckResult:
    found = finding_of(check.rule, verdicts)
    metadata: dict[str, dg.MetadataValue[Any]] = {
        "rule": dg.MetadataValue.text(check.rule.name),
        "failing_rows": dg.MetadataValue.int(found.failing_rows),
    }
    if found.measured is not None:
        metadata["measured"] = dg.MetadataValue.float(found.measured)
    if list(verdicts) != [""]:
        metadata["partitions"] = dg.MetadataValue.int(len(verdicts) - len(found.unjudged))
    warns = check.rule.severity == "warning"
    return dg.AssetCheckResult(
        passed=found.passed,
        asset_key=key,
        check_name=check.name,
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        description=found.message or None,
        metadata=metadata,
    )
