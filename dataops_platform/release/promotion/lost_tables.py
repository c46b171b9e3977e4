"""Checks that an environment can read a state before it is moved there."""

from __future__ import annotations

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import Refused, preview
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event
from dataops_platform.manifests.history import collection_of
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.readable import why_unreadable


def refuse_unreadable(lake: Lake, environment: str, cut: Cut, event: Event | None = None) -> None:
    """Refuse a cut with a table whose version, or a file of it, is missing. `event` made the state, for an earlier one.

    The time does not depend on the number of rows: files are checked by name and size, and not read. `dataops
    reproduce` compares their content with the manifests.
    Raises: Refused DP-L060 when `gc` deleted the state, DP-L091 when it deleted a state without a release, DP-L039 when
    a table was lost otherwise.
    """
    found = {m.name: why_unreadable(lake.connection, environment, m) for m in cut.members if m.kind == "table"}
    lost = {name: why for name, why in found.items() if why}
    if not lost:
        return
    given_up = collection_of(lake.events(environment), event.sequence) if event else None
    if event and given_up:
        at, actor = given_up.at[:19], given_up.actor
        if not event.release:
            raise Refused(
                "DP-L091", event=event.sequence, tables=preview(lost), environment=environment, at=at, actor=actor
            )
        raise Refused(
            "DP-L060",
            event=event.sequence,
            tables=preview(lost),
            environment=environment,
            at=at,
            actor=actor,
            release=short(event.release),
        )
    raise Refused(
        "DP-L039",
        tables=preview((f"{name} ({why})" for name, why in lost.items()), width=160),
        environment=environment,
    )
