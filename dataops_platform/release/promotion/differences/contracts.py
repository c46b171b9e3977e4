"""The changes of contracts in a promotion, and who is affected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from dataops_platform.contract_tools.diff import ContractComparison, compare
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.revisions import contracts_at
from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import DataOpsError
from dataops_platform.kit.git import has_commit
from dataops_platform.release.promotion.differences.section import Section, count, section
from dataops_platform.release.release import Release
from dataops_platform.settings.project import Project


@dataclass(frozen=True)
class ContractChanges:
    """The contracts that differ between two releases.

    `problem` is why they cannot be compared, or empty. `is_first` means that no release was shown before.
    """

    compared: tuple[ContractComparison, ...] = ()
    problem: str = ""
    is_first: bool = False

    @property
    def breaking(self) -> tuple[ContractComparison, ...]:
        """The contracts whose changes break readers."""
        return tuple(one for one in self.compared if one.level == "breaking")


def contract_changes(project: Project, before: Release | None, after: Release, now: datetime) -> ContractChanges:
    """Compare the contracts of two releases as committed. Loads the definitions when a change is breaking."""
    if before is None:
        return ContractChanges(is_first=True)
    if dict(before.contracts) == dict(after.contracts) and before.commit == after.commit:
        return ContractChanges()
    if not (project.root / "contracts").is_dir():
        return ContractChanges(problem="this project has no folder of contracts")
    for release in (before, after):
        if not has_commit(project.root, release.commit):
            return ContractChanges(
                problem=f"commit {release.commit[:12] or 'none'} of release {short(release.id)} is not in this "
                "repository: fetch it"
            )
    try:
        return ContractChanges(tuple(compare(project, before.commit, after.commit, now.date())))
    except DataOpsError as error:
        return ContractChanges(problem=str(error))


def contracts_section(changes: ContractChanges) -> Section:
    """Return the section about changes of contracts (breaking, compatible or cosmetic) and the readers they break."""
    if changes.is_first:
        return section("No contract was in force before.")
    if changes.problem:
        return section(f"The contracts cannot be compared: {changes.problem}.")
    if not changes.compared:
        return section("No contract changed.")
    text = "; ".join(f"{one.name} {one.level} ({one.versions}): {one.verdict.rstrip('.')}" for one in changes.compared)
    return section(
        f"{count(len(changes.compared), 'contract')} changed. {text}.",
        changes=[
            {"contract": one.name, "level": change.level, "change": change.what, "column": change.column}
            for one in changes.compared
            for change in one.changes
        ],
        hit=[
            {
                "contract": one.name,
                "hit": hit.name,
                "kind": hit.kind,
                "through": hit.through,
                "owners": list(hit.owners),
            }
            for one in changes.compared
            for hit in one.hits
        ],
    )


def contracts_in(project: Project, release: Release | None) -> Mapping[str, Contract]:
    """Return the contracts of a release by table, as committed; empty when the commit or they cannot be read."""
    folder: Path = project.root / "contracts"
    if release is None or not folder.is_dir() or not has_commit(project.root, release.commit):
        return {}
    try:
        found = contracts_at(release.commit, folder).values()
    except DataOpsError:
        return {}
    return {contract.table: replace(contract, path=folder / contract.path.name) for contract in found}
