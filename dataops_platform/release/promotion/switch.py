"""Moves an environment to another state: promotion, rollback, resumption. Each is one transaction in the lake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly, preview
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event, Move, Pointing, Promotion, Resume, Rollback, by
from dataops_platform.manifests.history import moves, original, publication_before, state_before_release
from dataops_platform.release.promotion.lost_tables import refuse_unreadable
from dataops_platform.release.promotion.plan import PLAN, Plan, gate_answers
from dataops_platform.release.release import Release
from dataops_platform.warehouse import documents
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session
from dataops_platform.warehouse.state import State

ATTEMPTS = 200
DIGITS_OF_AN_ID = 6
"""The fewest digits that may begin an id: a mistyped number of an event must not name a release by chance."""


def switch_to_release(session: Session, plan: Plan, release: Release) -> State:
    """Show a release in the environment of a plan, and return the state. Publications since the plan do not matter.

    When the environment shows just this already and is not held, nothing moves and no event is written.
    Raises: LostRace DP-L074 when this plan was carried out already, DP-L010 when the environment was otherwise promoted
    or rolled back since the plan; Refused DP-L013 when every attempt was overtaken.
    """

    def is_done(now: State) -> bool:
        return (now.release, now.publication, now.held) == (release.id, release.cut.id, False)

    event = Promotion(
        **by(session.actor),
        release=release.id,
        code=release.code,
        plan=plan.id,
        plan_document=documents.read_digest(session.lake.connection, PLAN, plan.id),
        gates=gate_answers(plan.answers),
    )
    return _switch(session.lake, plan.environment, plan.pointer, release.cut, event, "promote", is_done)


def roll_back(
    session: Session,
    to: str = "",
    *,
    data: bool = False,
    prepare: Callable[[Cut], None] = lambda _: None,
) -> State:
    """Show an earlier state again, and hold the environment: it does not publish until it is resumed.

    The target is the last state of the release before; with `data` the publication before, within the release; with
    `to` the state made by the event of that number, or the last of a release or publication whose id begins so.
    Idempotent while the environment is held by the same rollback: a rerun after a crash, or a second person at the same
    moment, must not go back twice. Give `to` to go further back. `prepare` receives the cut of the target before
    anything changes, and may refuse it.
    Raises: what `find_state`, `refuse_unreadable` and `prepare` raise; LostRace DP-L010 when the environment was
    promoted or rolled back meanwhile; Refused DP-L013 when every attempt was overtaken.
    """
    lake, environment = session.lake, session.environment
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
        **by(session.actor),
        release=target.release,
        code=target.code,
        back=back,
        to=target.sequence,
        before=state.release,
    )
    return _switch(lake, environment, state.pointer, cut, event, "rollback")


def find_state(lake: Lake, environment: str, to: str = "", *, data: bool = False) -> Move:
    """Return the event that made the state to which a rollback returns.

    Raises: UsedWrongly DP-L011 when `to` was never shown, DP-L077 when it is ambiguous, DP-L075 without an earlier
    release, DP-L076 without an earlier publication.
    """
    events = lake.events(environment)
    if to:
        return original(events, _named(events, to, environment))
    found = publication_before(events) if data else state_before_release(events)
    if found is None and data:
        raise UsedWrongly("DP-L076", environment=environment)
    if found is None:
        raise UsedWrongly("DP-L075", environment=environment)
    return found


def resume(session: Session) -> State:
    """Let a held environment publish again.

    Raises: UsedWrongly DP-L012 when it is not held; LostRace DP-L010 when it was promoted or rolled back since this
    call began.
    """
    lake, environment = session.lake, session.environment
    seen = lake.state(environment)

    def resumption(now: State) -> Resume:
        if now.pointer != seen.pointer:
            raise _lost(lake, environment, now, "")
        if not now.held:
            raise UsedWrongly("DP-L012", environment=environment)
        return Resume(**by(session.actor))

    return lake.note(environment, resumption)


def _named(events: Sequence[Event], to: str, environment: str) -> Move:
    known = moves(events)
    wanted = to.removeprefix("sha256:")
    is_number = to.isdigit() and len(to) < DIGITS_OF_AN_ID
    found = [(to, e) for e in known if str(e.sequence) == to] or [
        (one, e)
        for e in known
        for one in (e.release, e.publication)
        if wanted and not is_number and one.removeprefix("sha256:").startswith(wanted)
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
            # a publication meanwhile does not matter; a promotion or rollback does, and moves the pointer
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
    is_same = bool(plan) and isinstance(winner, Promotion) and winner.plan == plan
    return LostRace(
        "DP-L074" if is_same else "DP-L010",
        actor=winner.actor,
        kind=winner.kind,
        release=short(winner.release),
        environment=environment,
        event=winner.sequence,
        at=winner.at[:19],
    )
