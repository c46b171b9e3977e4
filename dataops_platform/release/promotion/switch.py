"""Moves an environment to another state: promotes a release, rolls back, resumes. Each is one switch in the lake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly, preview
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event, Move, Pointing, Promotion, Resume, Rollback
from dataops_platform.manifests.history import moves, original, publication_before, state_before_release
from dataops_platform.release.promotion.lost_tables import refuse_unreadable
from dataops_platform.release.promotion.plan import PLAN, Plan, told
from dataops_platform.release.release import Release
from dataops_platform.settings.environ import actor
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State

ATTEMPTS = 200


def switch_to_release(lake: Lake, plan: Plan, release: Release) -> State:
    """Shows a release in the environment of a plan. Publications that came meanwhile are no obstacle.

    Where just this is shown already, nothing is moved. `plan_document` is the digest of the plan as it is kept.
    Raises: LostRace DP-L010, naming who came first, when the environment was pointed elsewhere since the plan.
    """

    def is_done(now: State) -> bool:
        return (now.release, now.publication, now.held) == (release.id, release.cut.id, False)

    event = Promotion(
        actor=actor(),
        release=release.id,
        code=release.code,
        plan=plan.id,
        plan_document=lake.document_digest(PLAN, plan.id),
        gates=told(plan.answers),
    )
    return _switch(lake, plan.environment, plan.pointer, release.cut, event, "promote", is_done)


def roll_back(
    lake: Lake,
    environment: str,
    to: str = "",
    *,
    data: bool = False,
    prepare: Callable[[Cut], None] = lambda _: None,
) -> State:
    """Shows an earlier state again, and holds the environment: nothing is published there until it is resumed.

    The last state of the release before; with `data` the publication before, within the release; with `to` the state
    made by the event of that number, or the last of a release or publication whose id begins so.
    Asked for again while the environment is held where just this brought it, it moves nothing: a rerun after a crash,
    or a second person at the same moment, must not go back twice. To go further back, say where `to`.
    `prepare` is given the cut of that state, before anything is changed, and may refuse.
    Raises: UsedWrongly DP-L011 when there is no such state; Refused DP-L060 or DP-L039 when its tables cannot be read
    as they were; LostRace DP-L010.
    """
    state = lake.state(environment)
    back: Literal["release", "data", "to"] = "to" if to else "data" if data else "release"
    last = state.moved if state.held and isinstance(state.moved, Rollback) else None
    if last and not to and last.back == back:
        return state
    target = find_state(lake, environment, to, data=data)
    if last and last.to == target.sequence:
        return state
    cut = lake.cut(target)
    refuse_unreadable(lake, environment, cut, target)
    prepare(cut)
    event = Rollback(
        actor=actor(),
        release=target.release,
        code=target.code,
        back=back,
        to=target.sequence,
        before=state.release,
    )
    return _switch(lake, environment, state.pointer, cut, event, "rollback")


def find_state(lake: Lake, environment: str, to: str = "", *, data: bool = False) -> Move:
    """The event that made the state a rollback would return to. Raises: UsedWrongly DP-L011."""
    events = lake.events(environment)
    if to:
        return original(events, _named(events, to, environment))
    found = publication_before(events) if data else state_before_release(events)
    if found is None and data:
        raise UsedWrongly("DP-L076", environment=environment)
    if found is None:
        raise UsedWrongly("DP-L075", environment=environment)
    return found


def resume(lake: Lake, environment: str) -> State:
    """Lets an environment publish again, if it is held for what it was held for when this began.

    Raises: UsedWrongly DP-L012 when it is not held; LostRace DP-L010 when it was rolled back or promoted meanwhile.
    """
    seen = lake.state(environment)

    def resumption(now: State) -> Resume:
        if now.pointer != seen.pointer:
            raise _lost(lake, environment, now, "")
        if not now.held:
            raise UsedWrongly("DP-L012", environment=environment)
        return Resume(actor=actor())

    return lake.note(environment, resumption)


def _named(events: Sequence[Event], to: str, environment: str) -> Move:
    known = moves(events)
    wanted = to.removeprefix("sha256:")
    found = [(to, e) for e in known if str(e.sequence) == to] or [
        (one, e)
        for e in known
        for one in (e.release, e.publication)
        if wanted and one.removeprefix("sha256:").startswith(wanted)
    ]
    if not found:
        shown = (f"{e.sequence} ({e.kind} of {short(e.release) or 'no release'})" for e in reversed(known))
        raise UsedWrongly("DP-L011", environment=environment, wanted=to, known=preview(shown, width=60))
    ids = dict.fromkeys(one for one, _ in found)
    if len(ids) > 1:
        raise UsedWrongly("DP-L077", wanted=to, known=preview(map(short, ids)))
    return found[-1][1]


def _switch(
    lake: Lake,
    environment: str,
    pointer: int,
    cut: Cut,
    event: Pointing,
    fault: str,
    is_done: Callable[[State], bool] = lambda _: False,
) -> State:
    for lost in range(ATTEMPTS):
        with lake.turn(lost):
            now = lake.state(environment)
            if now.pointer != pointer:
                raise _lost(lake, environment, now, event.plan if isinstance(event, Promotion) else "")
            if is_done(now):
                return now
            try:
                return lake.switch(environment, cut, now, event, fault)
            except LostRace:
                continue
    raise Refused("DP-L013", environment=environment, times=ATTEMPTS)


def _lost(lake: Lake, environment: str, now: State, plan: str) -> LostRace:
    winner = next(e for e in lake.events(environment) if e.sequence == now.pointer)
    release, at = short(winner.release), winner.at[:19]
    if plan and isinstance(winner, Promotion) and winner.plan == plan:
        return LostRace(
            "DP-L074",
            actor=winner.actor,
            kind=winner.kind,
            release=release,
            environment=environment,
            event=winner.sequence,
            at=at,
        )
    return LostRace(
        "DP-L010",
        actor=winner.actor,
        kind=winner.kind,
        release=release,
        environment=environment,
        event=winner.sequence,
        at=at,
    )
