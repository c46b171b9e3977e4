"""The rows that differ between a release and what is shown. Only tables whose digests differ are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.manifests.manifest import WHOLE, Head
from dataops_platform.release.promotion.differences.row_diff import RowChanges, compare_rows, version_of
from dataops_platform.release.promotion.differences.section import Section, count, section
from dataops_platform.release.promotion.gates.question import Question
from dataops_platform.stages.contract_files import contract_of


def rows_section(
    question: Question, contracts_before: Mapping[str, Contract], contracts_after: Mapping[str, Contract]
) -> Section:
    """Return the section about added, removed and changed rows, matched by the contract's key, with samples.

    Reads both versions of each table whose digests differ: once to count, and once for each kind of row in the samples.
    """
    before, after = (
        {name: head for name, head in heads.items() if head.kind == "table"}
        for heads in (question.shown, question.heads)
    )
    if not before:
        return section(f"Nothing was shown before; {count(len(after), 'table')} come.", tables=_whole(after, "new"))
    differ = [name for name in sorted(before.keys() & after.keys()) if before[name].digest != after[name].digest]
    new = {name: head for name, head in after.items() if name not in before}
    gone = {name: head for name, head in before.items() if name not in after}
    tables, samples = [*_whole(new, "new"), *_whole(gone, "gone")], []
    windows = question.lake.windows_that_differ({name: (before[name], after[name]) for name in differ})
    for name in differ:
        known = [c for c in (contracts_before.get(name), contracts_after.get(name)) if c]
        at_hand = contract_of(question.project, name)
        contract = contracts_after.get(name, at_hand)
        known = [*known, *([at_hand] if at_hand else [])]
        changes = _changes(question, (before[name], after[name]), windows[name], contract, known)
        tables.append(_told(before[name], after[name], changes))
        samples += [{"table": name, **sample} for sample in changes.samples]
    same = len(before.keys() & after.keys()) - len(differ)
    message = f"{count(len(tables), 'table')} {'differs' if len(tables) == 1 else 'differ'}, {same} are the same."
    return section(message, tables=tables, samples=samples)


def visible_columns(contracts: Iterable[Contract]) -> frozenset[str]:
    """Return the columns whose values may be shown: those that every contract listing them shows, if any lists them."""
    contracts = list(contracts)
    shown = {name for contract in contracts for name in contract.visible_columns}
    hidden = {c.name for contract in contracts for c in contract.columns if c.name not in contract.visible_columns}
    return frozenset(shown - hidden)


def _changes(
    question: Question,
    pair: tuple[Head, Head],
    windows: set[str],
    contract: Contract | None,
    known: Sequence[Contract],
) -> RowChanges:
    """Return the changes in the windows whose digests differ, or in all rows of a table without windows."""
    lake, environment = question.lake, question.project.environment
    parts = None if WHOLE in windows else windows
    old, new = (version_of(lake.connection, lake.relation(environment, head), parts) for head in pair)
    key = contract.primary_key if contract else ()
    return compare_rows(lake.connection, old, new, key, visible_columns(known))


def _told(before: Head, after: Head, changes: RowChanges) -> dict[str, Any]:
    return {
        "table": after.name,
        "rows_before": _rows(before),
        "rows_after": _rows(after),
        "added": changes.added,
        "removed": changes.removed,
        "changed": changes.changed,
        "key": list(changes.key),
        "changed_in": dict(changes.changed_in),
        "columns_added": list(changes.columns_added),
        "columns_dropped": list(changes.columns_dropped),
        "note": f"rows counted as wholes: {changes.note}" if changes.note else "",
    }


def _whole(heads: Mapping[str, Head], note: str) -> list[dict[str, Any]]:
    nothing = {"changed": 0, "key": [], "changed_in": {}, "columns_added": [], "columns_dropped": []}
    found = []
    for name, head in sorted(heads.items()):
        rows = _rows(head)
        before, after = (0, rows) if note == "new" else (rows, 0)
        counts = {"rows_before": before, "rows_after": after, "added": after, "removed": before}
        found.append({"table": name, **counts, **nothing, "note": f"{note}: the whole table"})
    return found


def _rows(head: Head) -> int:
    return head.windows.rows
