"""Releases and plans are read as they were written, with all that a later version may add to them."""

from __future__ import annotations

from typing import Any

from dataops_platform.kit.digests import canonical_json, digest_of
from dataops_platform.manifests.cut import Cut, Member
from dataops_platform.manifests.windows import Window, plant
from dataops_platform.release.promotion.plan import Answer, Plan
from dataops_platform.release.release import Release

WINDOW = Window("", "dp1:1:00000000000000000000000000000000", "m1", 1, "2030-01-01", "contract")
ORDERS = Member("orders", "table", "3", plant([WINDOW]).windows, "dev")
RELEASE = Release(
    project="shop",
    commit="c0ffee",
    is_dirty=False,
    code="sha256:1",
    lock="sha256:2",
    dbt="sha256:3",
    config="sha256:4",
    contracts={"orders": "sha256:5"},
    cut=Cut((ORDERS,)),
    built_in="dev",
    built_by="ann",
    built_at="2030-01-01T00:00:00+00:00",
    contract_versions={"orders": "1.0.0"},
)
PLAN = Plan(
    environment="prod",
    release=RELEASE.id,
    pointer=3,
    gates=[{"checks": {}}],
    before="",
    answers=(Answer("checks", "pass", "nothing is warned of", {"warnings": {}}),),
    differences={"rows": {"message": "0 tables differ"}},
    made_by="ann",
    made_at="2030-01-01T00:00:00+00:00",
)


def test_a_release_is_read_back_as_it_was_written() -> None:
    assert Release.from_plain(RELEASE.to_plain()) == RELEASE


def test_what_a_later_version_adds_to_a_release_is_kept_and_counts_where_it_is_content() -> None:
    later: dict[str, Any] = RELEASE.to_plain()
    later["contents"] = {**later["contents"], "images": {"amd64": "sha256:6"}}
    later["locators"] = {**later["locators"], "registry": "here"}
    later["id"] = digest_of(later["contents"])
    found = Release.from_plain(later)
    assert canonical_json(found.to_plain()) == canonical_json(later)
    assert found.id == later["id"] != RELEASE.id


def test_what_a_later_version_adds_to_a_plan_is_kept() -> None:
    later: dict[str, Any] = PLAN.to_plain()
    later["answers"][0]["asked_at"] = "2030-01-01"
    later["cost"] = {"rows": 7}
    found = Plan.from_plain(later)
    assert canonical_json(found.to_plain()) == canonical_json(later)
    assert found.id == PLAN.id, "it is the same question"
