"""What the board says of releases: read from the lake, whatever Dagster knows."""

from __future__ import annotations

from typing import Any

from dataops_platform.release.promotion.switch import resume, roll_back
from dataops_platform.status.pending import release_lines


def said(new_shop: Any) -> list[str]:
    """What the board says of dev and of prod."""
    return [line.state for line in release_lines(new_shop.session("dev"))]


def test_the_board_says_what_each_environment_waits_for(new_shop: Any) -> None:
    assert said(new_shop) == ["AWAITING its first publication", "AWAITING a release from dev"]
    first = new_shop.release(1)
    new_shop.plan(first)
    assert said(new_shop)[0].startswith("SUCCEEDED ")
    assert said(new_shop)[1].startswith("AWAITING promotion of plan ")
    new_shop.promote(first)
    assert said(new_shop)[1].startswith("SUCCEEDED ")
    new_shop.build("dev", 2)
    new_shop.publish("dev")
    assert said(new_shop)[0] == "AWAITING release build", "dev shows what no release has"
    new_shop.promote(new_shop.release(2))
    roll_back(new_shop.session())
    assert said(new_shop)[1] == "AWAITING resume after a rollback"
    resume(new_shop.session())
    assert said(new_shop)[1].startswith("SUCCEEDED ")
