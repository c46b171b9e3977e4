"""What the board says of releases: read from the lake, whatever Dagster knows."""

from __future__ import annotations

from typing import Any

from dataops_platform.release.promotion.switch import resume, roll_back
from dataops_platform.status.pending import release_lines


def said(shop: Any) -> list[str]:
    """What the board says of dev and of prod."""
    return [line.state for line in release_lines(shop.at("dev"), shop.lake)]


def test_the_board_says_what_each_environment_waits_for(shop: Any) -> None:
    assert said(shop) == ["AWAITING its first publication", "AWAITING a release from dev"]
    first = shop.release(1)
    shop.plan(first)
    assert said(shop)[0].startswith("SUCCEEDED ")
    assert said(shop)[1].startswith("AWAITING promotion of plan ")
    shop.promote(first)
    assert said(shop)[1].startswith("SUCCEEDED ")
    shop.build("dev", 2)
    shop.publish("dev")
    assert said(shop)[0] == "AWAITING release build", "dev shows what no release has"
    shop.promote(shop.release(2))
    roll_back(shop.lake, "prod")
    assert said(shop)[1] == "AWAITING resume after a rollback"
    resume(shop.lake, "prod")
    assert said(shop)[1].startswith("SUCCEEDED ")
