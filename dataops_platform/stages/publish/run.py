"""The publish step: one consistent cut of audited tables and models becomes what consumers see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import LostRace, Refused, preview
from dataops_platform.manifests.cut import Cut, judged_members, stale_members
from dataops_platform.manifests.events import Duplicate, Publication, by
from dataops_platform.manifests.manifest import Head
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.guard import refuse_other_code
from dataops_platform.stages.inputs import head_of
from dataops_platform.stages.step import Makes, Outcome, RunContext
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State

ATTEMPTS = 50
PUBLICATION = "publication"

FORMAT = 1
"""Part of every step's identity. Raise it with each change of this file that makes other results of the same inputs."""


@dataclass(frozen=True)
class PublishStep:
    """A step that shows the heads of `tables` and `models`, if they are consistent under the current contracts."""

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

    @property
    def code(self) -> str:
        return digest_of([self.stage, FORMAT])

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Publish the cut. Publishing the cut that the environment shows already moves nothing."""
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
    """Show the cut of the heads called `names`. Return the state, and whether this call moved it.

    After a lost race the heads are read again. Republishing the same cut moves nothing: it leaves an event `duplicate`,
    or none with `skip_unchanged`. The switch is the commit of one transaction in `lake.switch`.
    Raises: Refused DP-W007 for a name without a head, DP-P101 for a cut that is not consistent, DP-P102 when a table
    was audited under another contract than the file has now, DP-P103 while the environment is held, DP-R007 when its
    release has other code, DP-R008 before its first release; LostRace after `ATTEMPTS` lost races.
    """
    event = Publication(**by(context.actor), run=context.run_id)

    def attempt() -> tuple[State, bool]:
        before = lake.state(project.environment)
        refuse_other_code(project, before)
        refuse_held(before, project)
        cut = consistent_cut(lake, project, names, contracts, before)
        if cut.id != before.publication:
            return lake.switch(project.environment, cut, before, event), True
        if context.skip_unchanged:
            return before, False
        return lake.note(project.environment, _duplicate_of(cut, context)), False

    return lake.retried(attempt, ATTEMPTS)


def _duplicate_of(cut: Cut, context: RunContext) -> Callable[[State], Duplicate]:
    """Return a function that makes the event `duplicate` of a state, if it still shows this cut.

    The function raises: LostRace DP-P104 when the state shows another cut, or is held.
    """

    def duplicate(state: State) -> Duplicate:
        if state.publication != cut.id or state.held:
            raise LostRace("DP-P104", environment=state.environment, publication=short(state.publication))
        return Duplicate(**by(context.actor), run=context.run_id)

    return duplicate


def consistent_cut(
    lake: Lake, project: Project, names: Sequence[str], contracts: Mapping[str, Contract], shown: State
) -> Cut:
    """Return the cut of these heads. Each member must be made from the others as they are, under its current contract.

    Where `shown` was made by a publication, only members that a change since may concern are judged. A guarded
    environment shows the models of its release beside new data, whatever was trained since.
    Raises: Refused DP-W007, DP-P101 or DP-P102.
    """
    all_heads = lake.heads(project.environment)
    models: dict[str, Head] = {}
    if project.is_guarded:
        models = {name: h for name, h in lake.shown_heads(project.environment).items() if h.kind == "model"}
        all_heads |= models
    heads = {name: head_of(all_heads, name, PUBLICATION, project) for name in names}
    _refuse_other_contracts(heads, contracts, project)
    judged = judged_members(heads, shown.cut) if isinstance(shown.moved, Publication) else None
    refuse_stale(lake, heads, all_heads, project.environment, models, judged)
    return lake.cut_of(heads.values())


def refuse_stale(
    lake: Lake,
    heads: Mapping[str, Head],
    all_heads: Mapping[str, Head],
    environment: str,
    older: Collection[str] = (),
    judged: Collection[str] | None = None,
) -> None:
    """Refuse heads made from other contents of one another; those in `older` may be. Raises: Refused DP-P101.

    Only heads in `judged` are looked at, when it is set.
    """
    looked_at = (
        {*heads} if judged is None else {*judged, *(name for one in judged for name in heads[one].windows.lineage)}
    )
    lake.load(head for name, head in heads.items() if name in looked_at)
    stale = stale_members(heads, lake.manifests_of, all_heads, older, judged)
    if stale:
        again = ",".join(sorted({s.name for s in stale}))
        raise Refused("DP-P101", stale=preview(stale, width=200), environment=environment, names=again)


def refuse_held(state: State, project: Project) -> None:
    """Refuse to publish in an environment that is held since a rollback. Raises: Refused DP-P103."""
    if state.held:
        raise Refused("DP-P103", environment=project.environment, event=state.pointer)


def _refuse_other_contracts(heads: Mapping[str, Head], contracts: Mapping[str, Contract], project: Project) -> None:
    for name, contract in contracts.items():
        if heads[name].windows.contracts != (contract.digest,):
            other = [m for m in heads[name].manifests if m.step.contract != contract.digest]
            raise Refused(
                "DP-P102",
                table=name,
                audited=other[0].contract_version or "none",
                file=contract.path.name,
                version=contract.version,
                environment=project.environment,
            )
