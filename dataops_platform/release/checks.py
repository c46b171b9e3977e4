"""The gates of an environment as Dagster knows them: checks of `<environment>/release`."""

import re
from collections.abc import Sequence

import dagster as dg

from dataops_platform.release.promotion.plan import Plan
from dataops_platform.settings.environments import GateSettings

ORIGIN = "origin"
"""What is asked of every release, without being written down: where it comes from."""


def gate_specs(key: dg.AssetKey, gates: Sequence[GateSettings]) -> list[dg.AssetCheckSpec]:
    """A check for each gate. None blocks: a plan that a gate says no to is there to be read."""
    names = [ORIGIN, *(gate.name for gate in gates)]
    return [
        dg.AssetCheckSpec(check_name(name), asset=key, description=f"The gate {name} lets the plan pass.")
        for name in names
    ]


def gate_results(key: dg.AssetKey, specs: Sequence[dg.AssetCheckSpec], plan: Plan) -> list[dg.AssetCheckResult]:
    """What each gate said to a plan; a gate that a plan does not have, because settings changed since, did not pass."""
    answers = {check_name(answer.gate): answer for answer in plan.answers}
    results = []
    for spec in specs:
        answer = answers.get(spec.name)
        evidence = dict(answer.evidence) if answer else {}
        results.append(
            dg.AssetCheckResult(
                passed=answer is not None and answer.verdict != "fail",
                asset_key=key,
                check_name=spec.name,
                severity=dg.AssetCheckSeverity.ERROR,
                description=answer.said if answer else "not asked: dataops.yaml has other gates since; reload",
                metadata={
                    "verdict": answer.verdict if answer else "not asked",
                    "plan": plan.id,
                    "evidence": dg.MetadataValue.json(evidence),
                },
            )
        )
    return results


def check_name(gate: str) -> str:
    """The name of a gate's check: letters, digits and underscores."""
    return re.sub(r"\W", "_", gate, flags=re.ASCII)
