"""One consistent cut of audited tables and models becomes what consumers see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import LostRace, Refused, preview
from dataops_platform.manifests.cut import Cut, judged_members, stale_members
from dataops_platform.manifests.events import Duplicate, Publication
from dataops_platform.manifests.manifest import Head
from dataops_platform.settings.environ import actor
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.guard import refuse_other_code
from dataops_platform.stages.inputs import head_of
from dataops_platform.stages.step import Makes, Outcome, RunContext
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State

ATTEMPTS = 50
PUBLICATION = "publication"

FORMAT = 1
"""Part of every step's identity. A change of this file that makes other results of the same inputs raises it."""


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

    @property
    def code(self) -> str:
        return digest_of([self.stage, FORMAT])

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

    Gives the state and whether this call moved it. What is shown already is shown once: a delivery of the same leaves
    an event `duplicate`, and none where nothing was asked for that is not there (`skip_unchanged`). The switch is the
    commit of one transaction in `lake.switch`.
    Raises: Refused DP-W007 for a name without a head, DP-P101 for a cut that is not consistent, DP-P102 when a table
    was audited under another contract than the file has now, DP-P103 while the environment is held, DP-R007 when its
    release has other code; LostRace after 50 lost races.
    """
    event = Publication(actor=actor(), run=context.run_id)
    for lost in range(ATTEMPTS):
        try:
            with lake.turn(lost):
                before = lake.state(project.environment)
                refuse_other_code(project, before)
                refuse_held(before, project)
                cut = consistent_cut(lake, project, names, contracts, before)
                if cut.id != before.publication:
                    return lake.switch(project.environment, cut, before, event), True
                if context.skip_unchanged:
                    return before, False
                return lake.note(project.environment, _duplicate_of(cut, context.run_id)), False
        except LostRace:
            if lost == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _duplicate_of(cut: Cut, run: str) -> Callable[[State], Duplicate]:
    """The event of a delivery that brought nothing new, behind a state that still shows this cut."""

    def duplicate(state: State) -> Duplicate:
        if state.publication != cut.id or state.held:
            raise LostRace("DP-P104", environment=state.environment, publication=short(state.publication))
        return Duplicate(actor=actor(), run=run)

    return duplicate


def consistent_cut(
    lake: Lake, project: Project, names: Sequence[str], contracts: Mapping[str, Contract], shown: State
) -> Cut:
    """The cut of these heads, if every member was made from the others as they are, under its contract of today.

    Of what is `shown` by a publication that is known already: only members that something changed for are judged. A
    guarded environment shows the models of its release, whatever was trained since, beside new data.
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
    """Refuses heads that were not made from one another as they are; `older` may be. Raises: Refused DP-P101."""
    lake.load(head for name, head in heads.items() if judged is None or name in judged)
    stale = stale_members(heads, lake.manifests_of, all_heads, older, judged)
    if stale:
        again = ",".join(sorted({s.name for s in stale}))
        raise Refused("DP-P101", stale=preview(stale, width=200), environment=environment, names=again)


def refuse_held(state: State, project: Project) -> None:
    """Refuses to publish where somebody went back, until they resume. Raises: Refused DP-P103."""
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
