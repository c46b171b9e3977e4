"""One consistent cut of audited tables and models becomes what consumers see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.errors import LostRace, Refused, some
from dataops_platform.manifests.cut import Cut, cut_of, stale_members
from dataops_platform.manifests.manifest import Head
from dataops_platform.settings.environ import actor
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.step import Makes, Outcome, RunContext, head_of
from dataops_platform.warehouse.ducklake.lake import Lake
from dataops_platform.warehouse.protocol import State

ATTEMPTS = 50
PUBLICATION = "publication"


@dataclass(frozen=True)
class PublishStep:
    """Shows the heads of `tables` and `models`, if they were made from one another under today's contracts."""

    project: Project
    tables: tuple[str, ...]
    models: tuple[str, ...]
    contracts: Mapping[str, Contract]
    name: str = PUBLICATION
    partitions: PartitionSettings | None = None
    stage: str = "publish"

    @property
    def makes(self) -> tuple[Makes, ...]:
        text = f"What {self.project.environment} shows its consumers: {', '.join((*self.tables, *self.models))}."
        return (Makes(self.name, text, None, ("ducklake",)),)

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.tables, *self.models)

    @property
    def config(self) -> Mapping[str, Any]:
        return {"tables": list(self.tables), "models": list(self.models)}

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Publishes. When the environment already shows this cut, nothing moves and no event is written."""
        state, moved = publish(lake, self.project, self.reads, self.contracts, context)
        shown = {
            "publication": state.publication,
            "sequence": state.sequence,
            "members": [
                {"name": m.name, "kind": m.kind, "rows": m.rows, "version": m.version, "digest": m.digest}
                for m in state.cut.members
            ],
        }
        return [Outcome(self.name, (), state.publication, unchanged=not moved, shown=shown)]


def publish(
    lake: Lake, project: Project, names: Sequence[str], contracts: Mapping[str, Contract], context: RunContext
) -> tuple[State, bool]:
    """Shows the cut of the heads called `names`; a rival's publication is looked at, and the heads read again.

    Gives the state and whether this call made it. The switch is the commit of one transaction in `lake.switch`.
    Raises: Refused DP-W007 for a name without a head, DP-P101 for a cut that is not consistent, DP-P102 when a table
    was audited under another contract than the file has now; LostRace after 50 lost races.
    """
    for attempt in range(ATTEMPTS):
        before = lake.state(project.environment)
        cut = consistent_cut(lake, project, names, contracts)
        if cut.id == before.publication:
            return before, False
        event = {"kind": "publication", "actor": actor(), "run": context.run_id, "release": None}
        try:
            return lake.switch(project.environment, cut, before, event), True
        except LostRace:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def consistent_cut(lake: Lake, project: Project, names: Sequence[str], contracts: Mapping[str, Contract]) -> Cut:
    """The cut of these heads, if every member was made from the others as they are, under its contract of today."""
    all_heads = lake.heads(project.environment)
    heads = {name: head_of(all_heads, name, PUBLICATION, project) for name in names}
    _refuse_other_contracts(heads, contracts, project)
    stale = stale_members(heads, lake.manifest, all_heads)
    if stale:
        again = ",".join(sorted({s.name for s in stale}))
        raise Refused(
            "DP-P101",
            f"the cut is not consistent: {some(stale, width=200)}",
            where=f"publication, {project.environment}",
            fix=f"make them again: dataops run --select {again}; nothing was published",
        )
    return cut_of(heads.values())


def _refuse_other_contracts(heads: Mapping[str, Head], contracts: Mapping[str, Contract], project: Project) -> None:
    for name, contract in contracts.items():
        other = [m for m in heads[name].manifests if m.step.contract != contract.digest]
        if other:
            raise Refused(
                "DP-P102",
                f"{name} was audited under {contract.id} {other[0].contract_version or '(no contract)'}, "
                f"but {contract.path.name} says something else now ({contract.version})",
                where=f"publication, {project.environment}",
                fix=f"audit it again: dataops run --select {name}; nothing was published",
            )
