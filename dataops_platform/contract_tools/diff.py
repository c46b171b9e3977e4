"""Compares a project's contracts with an earlier revision, and names who is affected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dataops_platform.contract_tools.impact import Hit, hits
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.diff import Change, diff, is_bumped, version_after, worst_level
from dataops_platform.contracts.revisions import Waiver, contracts_at, contracts_in, waivers_in
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.orchestration.definitions import load_definitions
from dataops_platform.settings.project import Project


@dataclass(frozen=True)
class ContractComparison:
    """One contract before and after: what changed, who is affected, and whether the version announces it."""

    name: str
    changes: tuple[Change, ...]
    level: str
    versions: str
    hits: tuple[Hit, ...]
    passes: bool
    verdict: str
    waived: tuple[Mapping[str, str], ...] = ()
    """Who lets an unannounced breaking change pass, why, and until when."""

    def to_plain(self) -> dict[str, Any]:
        """Return the comparison as a JSON-like record."""
        return asdict(self)


def compare(project: Project | None, old: str, new: str, today: date) -> list[ContractComparison]:
    """Compare contracts by file name, and return those that changed. An empty `new` means the files of the project.

    Two single files are compared with each other, whatever their names. Definitions are loaded when a change breaks
    readers. Without a project a git revision means this folder as of that revision, nobody is known to be affected, and
    nothing is waived.

    Raises: UsedWrongly DP-C018 for a place without contracts; what `load_contract` raises.
    """
    folder = project.root / "contracts" if project else Path()
    before, after = contracts_at(old, folder), contracts_at(new, folder) if new else contracts_in(folder)
    if len(before) == 1 and len(after) == 1:
        (one,), (other,) = before.values(), after.values()
        pairs: list[tuple[Contract | None, Contract | None]] = [(one, other)]
    else:
        named = {Path(place).name for place in (old, new) if Path(place).is_file()} or {*before, *after}
        pairs = [(before.get(name), after.get(name)) for name in sorted(named)]
    waivers = waivers_in(folder, today) if project else ()
    return [_comparison(project, a, b, waivers) for a, b in pairs if diff(a, b)]


def _comparison(
    project: Project | None, old: Contract | None, new: Contract | None, waivers: Sequence[Waiver]
) -> ContractComparison:
    changes = diff(old, new)
    level, contract = worst_level(changes), new or old
    assert contract is not None
    breaking = [change for change in changes if change.level == "breaking"]
    waived = [w for w in waivers if w.contract == contract.id and new is not None and w.version == new.version]
    announced = old is None or (new is not None and is_bumped(old, new, level))
    return ContractComparison(
        name=contract.table,
        changes=changes,
        level=str(level),
        versions=f"{old.version if old else 'nothing'} -> {new.version if new else 'nothing'}",
        hits=_hits(project, contract.table, breaking),
        passes=not breaking or announced or bool(waived),
        verdict=_advice(old, new, bool(breaking), announced, waived),
        waived=tuple({"by": w.by, "why": w.why, "until": w.until} for w in waived if breaking and not announced),
    )


def _advice(
    old: Contract | None, new: Contract | None, breaking: bool, announced: bool, waived: Sequence[Waiver]
) -> str:
    if waived:
        return f"Waived by {waived[0].by} until {waived[0].until}: {waived[0].why}"
    if announced or old is None:
        return "The version says so."
    if new is None:
        return "Nothing announces that it goes: keep it, or waive it in contracts/waivers.yaml."
    needed = version_after(old.version, worst_level(diff(old, new)))
    return f"{'Not announced: it' if breaking else 'It'} needs version {needed}{' or a waiver' if breaking else ''}."


def _hits(project: Project | None, table: str, breaking: Sequence[Change]) -> tuple[Hit, ...]:
    if not breaking or project is None:
        return ()
    columns = {change.column for change in breaking}
    try:
        return hits(load_definitions(project), table, set() if "" in columns else columns)
    except UsedWrongly as error:  # a comparison must still be possible while the project is being mended
        return (Hit("unknown", "the definitions do not load", error.code),)


def as_markdown(compared: Sequence[ContractComparison]) -> str:
    """Return the comparison as Markdown, for a comment on a pull request."""
    if not compared:
        return "No contract changed."
    parts = []
    for one in compared:
        parts.append(f"### `{one.name}`: {one.level} ({one.versions})\n\n{one.verdict}\n")
        parts.append("| level | change |\n|---|---|")
        parts += [f"| {c.level} | {c.what} |".replace("\n", " ") for c in one.changes]
        if one.hits:
            parts.append("\n| who is hit | kind | through | owners |\n|---|---|---|---|")
            parts += [f"| {h.name} | {h.kind} | {h.through} | {', '.join(h.owners)} |" for h in one.hits]
        parts.append("")
    return "\n".join(parts)
