"""Whether what an environment is to show can still be read, asked before it is moved there."""

from __future__ import annotations

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import Refused, preview
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event
from dataops_platform.manifests.history import collection_of
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.readable import why_unreadable


def refuse_unreadable(lake: Lake, environment: str, cut: Cut, event: Event | None = None) -> None:
    """Refuses a cut of which a table's version, or a file of it, is gone. `event` made that state, if it is an old one.

    Takes the same time whatever the number of rows: files are looked for by name and size, their content is not read.
    What they hold is compared with what was recorded by `dataops reproduce`.
    Raises: Refused DP-L060 or DP-L091 when the state was given up by `gc`; DP-L039 when a table was lost.
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
