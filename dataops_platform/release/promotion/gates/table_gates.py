"""The gates that need only the manifests of a release: contracts, checks, freshness."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dataops_platform.kit.clock import ago
from dataops_platform.kit.errors import preview
from dataops_platform.release.promotion.gates.question import Question, answer
from dataops_platform.release.promotion.plan import Answer
from dataops_platform.settings.environments import WaivableGate
from dataops_platform.stages.contract_files import contract_of


def contracts(question: Question, _: WaivableGate) -> Answer:
    """Pass if each table was audited under the release's contract, and no rule over all its rows is broken."""
    tables = [head for head in question.heads.values() if head.kind == "table"]
    other = [h.name for h in tables if h.windows.contracts != (question.release.contracts.get(h.name),)]
    broken = [f"{h.name} {v.rule}" for h in tables for m in h.manifests for v in m.verdicts if _breaks(v)]
    rules = sum(len(m.verdicts) for h in tables for m in h.manifests)
    message = f"{len(tables)} tables hold their contracts ({rules} verdicts)"
    if other or broken:
        message = f"not audited under their contract: {preview(other)}" if other else f"broken: {preview(broken)}"
    return answer(
        "contracts", not (other or broken), message, tables=len(tables), verdicts=rules, other=other, broken=broken
    )


def _breaks(verdict: Any) -> bool:
    """Return whether a rule over all rows together is broken. Rows that break any other rule are in quarantine."""
    return verdict.severity == "error" and verdict.measured is not None and verdict.failing_rows > 0


def checks(question: Question, _: WaivableGate) -> Answer:
    """Pass if no rule of severity `warning` marks more rows than before. New tables are not compared."""
    now, before = _warnings(question.heads), _warnings(question.shown)
    shown = _warnings({name: head for name, head in question.heads.items() if name in question.shown})
    worse = {rule: rows for rule, rows in shown.items() if rows > before.get(rule, 0)}
    message = f"{sum(now.values())} rows are warned of, {sum(before.values())} before"
    if worse:
        message += f"; more than before: {preview(f'{rule} {rows}' for rule, rows in worse.items())}"
    return answer("checks", not worse, message, warnings=now, before=before)


def _warnings(heads: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for head in heads.values():
        for verdict in (v for m in head.manifests for v in m.verdicts if v.severity == "warning"):
            name = f"{head.name} {verdict.rule}"
            found[name] = found.get(name, 0) + verdict.failing_rows
    return {rule: rows for rule, rows in found.items() if rows}


def freshness(question: Question, _: WaivableGate) -> Answer:
    """Pass if each table was last audited within the time that its contract promises."""
    late, promised = [], 0
    for head in (h for h in question.heads.values() if h.kind == "table"):
        contract = contract_of(question.project, head.name)
        if contract is None or contract.freshness is None:
            continue
        promised += 1
        audited = datetime.fromisoformat(head.windows.recorded_at)
        if (question.now - audited).total_seconds() > contract.freshness.seconds:
            late.append(f"{head.name} ({ago(audited, question.now)} old)")
    message = f"late: {preview(late)}" if late else f"{promised} tables promise freshness and are fresh"
    return answer("freshness", not late, message, promised=promised, late=late)
