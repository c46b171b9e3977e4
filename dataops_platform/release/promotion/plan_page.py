"""Renders plans for people. Text and Markdown print every fact of the JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.digests import short
from dataops_platform.release.promotion.differences.section import DIFF, SAID, printable
from dataops_platform.release.promotion.differences.sections import SECTIONS
from dataops_platform.release.promotion.plan import Plan


@dataclass(frozen=True)
class PageTable:
    """A table of texts: each row has all `columns` as keys."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class PagePart:
    """One part of a page: a title, a text, tables, and a diff."""

    title: str
    message: str
    tables: tuple[PageTable, ...] = ()
    diff: str = ""


def page_of(plan: Plan) -> list[PagePart]:
    """Return the parts of a plan: the summary with the answers of the gates, the differences, and the next commands."""
    verdict = "every gate lets it pass" if plan.passes else "refused: a gate says no"
    about = (
        f"Release {short(plan.release)} to {plan.environment}, instead of {short(plan.before) or 'nothing'} "
        f"(event {plan.pointer}): {verdict}. Made by {plan.made_by}, {plan.made_at[:19]}."
    )
    answers = [
        {"gate": a.gate, "verdict": a.verdict, "message": a.message, "evidence": _small(a.evidence)}
        for a in plan.answers
    ]
    details = [
        _table(f"{answer.gate}: {name}", records)
        for answer in plan.answers
        for name, records in answer.evidence.items()
        if _is_records(records)
    ]
    parts = [PagePart(f"Plan {plan}", about, (_table("gates", answers), *details))]
    names = [*SECTIONS, *(name for name in plan.differences if name not in SECTIONS)]
    parts += [_part(name, plan.differences[name]) for name in names if name in plan.differences]
    if plan.next:
        parts.append(PagePart("next", "; ".join(plan.next)))
    return parts


def as_markdown(plan: Plan) -> str:
    """Return a plan as Markdown, for a pull request or a page of Dagster."""
    lines = []
    for number, part in enumerate(page_of(plan)):
        lines += [f"{'##' if number == 0 else '###'} {part.title}", "", _escaped(part.message), ""]
        for table in part.tables:
            lines += [f"**{_escaped(table.title)}**", ""] if table.title != "gates" else []
            lines.append("| " + " | ".join(map(_heading, table.columns)) + " |")
            lines.append("|" + "---|" * len(table.columns))
            lines += ["| " + " | ".join(_escaped(row[name]) for name in table.columns) + " |" for row in table.rows]
            lines.append("")
        if part.diff:
            fence = "`" * max(3, _longest_run(part.diff) + 1)
            lines += [f"{fence}diff", part.diff, fence, ""]
    return "\n".join(lines)


def cell(value: object) -> str:
    """Return a value of a record as text: floats with four decimals, pairs of before and after with an arrow."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, Mapping):
        if value.keys() == {"before", "after"}:
            return f"{_or_null(value['before'])} → {_or_null(value['after'])}"
        return ", ".join(f"{name} {_or_null(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return printable(str(value))


def _small(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evidence that fits into a cell: what is not empty and has no table of its own."""
    return {name: value for name, value in evidence.items() if value not in ("", [], {}) and not _is_records(value)}


def _or_null(value: object) -> str:
    return "null" if value is None else cell(value)


def _part(name: str, section: Mapping[str, Any]) -> PagePart:
    tables = tuple(_table(key, value) for key, value in section.items() if _is_records(value))
    return PagePart(name, section[SAID], tables, section.get(DIFF, ""))


def _table(title: str, records: Sequence[Mapping[str, Any]]) -> PageTable:
    """Return a table of all records, without columns that are empty in each."""
    names = dict.fromkeys(name for record in records for name in record)
    rows = [{name: cell(record.get(name)) for name in names} for record in records]
    columns = tuple(name for name in names if any(row[name] for row in rows))
    return PageTable(title, columns, tuple({name: row[name] for name in columns} for row in rows))


def _is_records(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _escaped(text: str) -> str:
    """Return text escaped for Markdown, on one line."""
    for sign in "\\`*_<>[]|#~":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")


def _longest_run(text: str) -> int:
    longest = run = 0
    for sign in text:
        run = run + 1 if sign == "`" else 0
        longest = max(longest, run)
    return longest
