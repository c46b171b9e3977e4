"""The gates of an environment as Dagster asset checks of `<environment>/release`."""

import re
from collections.abc import Sequence

import dagster as dg

from dataops_platform.release.promotion.plan import Plan
from dataops_platform.settings.environments import GateSettings

ORIGIN = "origin"
"""The gate that every plan has without being configured: where the release comes from."""


def gate_specs(key: dg.AssetKey, gates: Sequence[GateSettings]) -> list[dg.AssetCheckSpec]:
    """Return a check for each gate. No check blocks, so that a refused plan can still be read."""
    names = [ORIGIN, *(gate.name for gate in gates)]
    return [
        dg.AssetCheckSpec(check_name(name), asset=key, description=f"The gate {name} lets the plan pass.")
        for name in names
    ]


def gate_results(key: dg.AssetKey, specs: Sequence[dg.AssetCheckSpec], plan: Plan) -> list[dg.AssetCheckResult]:
    """Return the result of each check for a plan.

    A gate without an answer, because the settings changed since the definitions were loaded, has not passed.
    """
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
                description=answer.message if answer else "not asked: dataops.yaml has other gates since; reload",
                metadata={
                    "verdict": answer.verdict if answer else "not asked",
                    "plan": plan.id,
                    "evidence": dg.MetadataValue.json(evidence),
                },
            )
        )
    return results


def check_name(gate: str) -> str:
    """Return the name of a gate's check: letters, digits and underscores."""
    return re.sub(r"\W", "_", gate, flags=re.ASCII)
