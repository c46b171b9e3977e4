"""Deletion of what no retained state of a lake needs, in one transaction with the events that record it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime

from dataops_platform.kit.errors import Refused, preview
from dataops_platform.manifests.events import Event
from dataops_platform.warehouse import anchors, expiry, ledger, nodes
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State, refuse_moved


def delete_unneeded(
    lake: Lake,
    expected: Mapping[str, State],
    events: Mapping[str, Event],
    snapshots: Collection[int],
    texts: Collection[str],
    before: datetime,
) -> None:
    """Expire snapshots and append `events` to ledgers, if no environment has moved since `expected`.

    Also deletes stored `texts`, by digest, unless they were stored at or after `before`.

    Raises: LostRace DP-W004 when an environment no longer shows what was expected, Refused DP-L063 when a head or a
    view needs one of the snapshots; nothing is changed then.
    """
    with ExitStack() as opened:
        anchor = {name: opened.enter_context(anchors.opened(lake.anchors, name)) for name in sorted(events)}
        with lake.transaction():
            appended = {}
            for name, state in expected.items():
                now = lake.state(name)
                refuse_moved(state, now)
                if name in events:
                    appended[name] = lake.append(now, events[name], None)
                elif now.sequence:
                    ledger.touch(lake.connection, name)  # so that a rival's move of it conflicts with this
            _refuse_shown(lake, expected, snapshots)
            nodes.delete(lake.connection, texts, before)
            expiry.expire(lake.connection, snapshots)
        for name, state in appended.items():
            anchor[name](state)


def _refuse_shown(lake: Lake, environments: Iterable[str], snapshots: Collection[int]) -> None:
    """Refuse to expire what a head or a view needs, whatever the caller has computed. Raises: Refused DP-L063."""
    shown = {int(head.version) for name in environments for head in lake.heads(name).values() if head.kind == "table"}
    lost = (shown | expiry.pinned(lake.connection)) & set(snapshots)
    if lost:
        raise Refused("DP-L063", versions=preview(sorted(lost)))
