"""The state that an environment showed at a moment."""

from __future__ import annotations

from datetime import UTC, datetime

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.manifests.events import Move
from dataops_platform.manifests.history import state_at
from dataops_platform.warehouse.lake import Lake


def shown_at(lake: Lake, environment: str, moment: str) -> Move:
    """Return the event that made the state shown at a moment (ISO format; UTC without an offset).

    Raises: UsedWrongly DP-L065 for a text that is no moment, DP-L016 for a moment before anything was shown.
    """
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        raise UsedWrongly("DP-L065", text=moment) from None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    event = state_at(lake.events(environment), aware.astimezone(UTC).isoformat())
    if event is None:
        raise UsedWrongly("DP-L016", environment=environment, moment=moment)
    return event
