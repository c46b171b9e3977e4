"""The gate `no_breaking_change`: a new version or a waiver announces each change that breaks readers."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_platform.contract_tools.impact import Hit
from dataops_platform.contracts.diff import Change
from dataops_platform.kit.errors import preview
from dataops_platform.release.promotion.differences.contracts import contract_changes
from dataops_platform.release.promotion.differences.sections import release_shown
from dataops_platform.release.promotion.gates.question import Question, answer
from dataops_platform.release.promotion.plan import Answer
from dataops_platform.settings.environments import WaivableGate

NAME = "no_breaking_change"


def no_breaking_change(question: Question, _: WaivableGate) -> Answer:
    """Pass if each contract that breaks its readers is announced by its version or waived in `contracts/waivers.yaml`.

    Contracts that cannot be compared fail the gate. It passes when no release was shown before.
    """
    changes = contract_changes(question.project, release_shown(question), question.release, question.now)
    if changes.is_first:
        return answer(NAME, True, "no contract was in force before")
    if changes.problem:
        return answer(NAME, False, f"contracts cannot be compared: {changes.problem}")
    breaking = changes.breaking
    evidence = {
        "changed": len(changes.compared),
        "breaking": [
            {
                "contract": one.name,
                "versions": one.versions,
                "verdict": one.verdict,
                "changes": [change.what for change in one.changes if change.level == "breaking"],
                "hits": [hit.name for hit in one.hits],
            }
            for one in breaking
        ],
        "waived": [waiver for one in breaking for waiver in one.waived],
    }
    no = [one for one in breaking if not one.passes]
    if no:
        listed = (f"{one.name} {one.versions} ({_first(one.changes)}; hits {_hit(one.hits)})" for one in no)
        return answer(NAME, False, f"breaking and not announced: {preview(listed, width=160)}", **evidence)
    if evidence["waived"]:
        listed = (f"{one.name}: {one.verdict[0].lower()}{one.verdict[1:]}" for one in breaking if one.waived)
        return Answer(NAME, "waived", preview(listed, width=200), evidence)
    announced = f", {len(breaking)} of them breaking and announced by the version" if breaking else ""
    return answer(NAME, True, f"{len(changes.compared)} contracts changed{announced}", **evidence)


def _first(changes: Sequence[Change]) -> str:
    first, *more = [change.what for change in changes if change.level == "breaking"]
    return first + (f" and {len(more)} more" if more else "")


def _hit(hits: Sequence[Hit]) -> str:
    return preview(hit.name for hit in hits) or "nobody known"
