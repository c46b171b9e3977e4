"""Which states are retained."""

from __future__ import annotations

from datetime import UTC, datetime

from dataops_platform.release.retention.policy import Retention, kept_states


def test_an_environment_that_never_showed_anything_has_no_state_to_retain() -> None:
    assert kept_states([], Retention(), datetime(2013, 3, 1, tzinfo=UTC)) == []
