"""`no_breaking_change`: a contract breaks its readers only when its version says so, or somebody lets it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dataops_platform.kit.errors import Refused
from dataops_platform.release.promotion.plan import Answer

GATE = "no_breaking_change"
ROWS = "select * from (values (1, 11.0, 'a@x'), (2, 20.0, null)) as t(id, amount, email)"
WAIVER = "waivers: [{contract: orders, version: %s, by: bob, why: nobody reads it, until: '2013-03-02'}]\n"


def changed(world: Any, before: str, after: str, version: str = "1.0.0") -> Any:
    """A release in which the contract of orders says something else than in the one that prod shows."""
    world.gates(GATE)
    text = (world.folder / "contracts" / "orders.odcs.yaml").read_text()
    world.file("contracts/orders.odcs.yaml", text.replace(before, after).replace("1.0.0", version))
    world.write(ROWS)
    return world.release()


def test_the_first_promotion_breaks_nobody(world: Any) -> None:
    world.gates(GATE)
    world.write()
    assert world.answer(world.release(), GATE) == Answer(GATE, "pass", "no contract was in force before", {})


def test_a_compatible_change_passes(shown: Any) -> None:
    release = changed(shown, "restricted}", "restricted, required: true}")
    assert shown.answer(release, GATE).message == "1 contracts changed"


def test_a_breaking_change_that_nothing_announces_fails_and_says_what(shown: Any) -> None:
    answer = shown.answer(changed(shown, ", required: true", ""), GATE)
    assert (answer.verdict, answer.message) == (
        "fail",
        "breaking and not announced: orders 1.0.0 -> 1.0.0 (amount may be null now; hits unknown)",
    )
    assert answer.evidence["breaking"][0]["changes"] == ["amount may be null now"]


def test_a_breaking_change_that_the_version_announces_passes(shown: Any) -> None:
    answer = shown.answer(changed(shown, ", required: true", "", "2.0.0"), GATE)
    assert (answer.verdict, answer.message) == (
        "pass",
        "1 contracts changed, 1 of them breaking and announced by the version",
    )


def test_a_contract_that_goes_is_a_breaking_change(shown: Any) -> None:
    shown.gates(GATE)
    (shown.folder / "contracts" / "orders.odcs.yaml").rename(shown.folder / "contracts" / "sales.odcs.yaml")
    shown.file("contracts/other.odcs.yaml", (shown.folder / "contracts" / "sales.odcs.yaml").read_text())
    shown.write(ROWS)
    said = shown.answer(shown.release(), GATE).message
    assert "orders 1.0.0 -> nothing (the contract is gone; hits unknown)" in said


def test_a_waiver_lets_it_pass_until_its_day_and_is_shown_as_one(shown: Any) -> None:
    shown.file("contracts/waivers.yaml", WAIVER % "1.0.0")
    plan = shown.plan(changed(shown, ", required: true", ""))
    answer = plan.answers[1]
    assert (answer.verdict, answer.message) == ("waived", "orders: waived by bob until 2013-03-02: nobody reads it")
    shown.now += timedelta(days=2)
    with pytest.raises(Refused, match=r"^DP-G001 Gates fail: no_breaking_change: breaking and not announced"):
        shown.promote(plan)
    shown.now -= timedelta(days=1)
    assert shown.plan(shown.release()).answers[1] == answer, "also of a plan that is made on the last day"
    assert shown.promote(plan).release == plan.release


def test_a_waiver_of_another_version_waives_nothing(shown: Any) -> None:
    shown.file("contracts/waivers.yaml", WAIVER % "1.1.0")
    assert shown.answer(changed(shown, ", required: true", ""), GATE).verdict == "fail"


def test_contracts_that_cannot_be_compared_are_no_yes(shown: Any) -> None:
    shown.gates(GATE)
    text = (shown.folder / "contracts" / "orders.odcs.yaml").read_text()
    shown.file("contracts/other.odcs.yaml", text.replace("schema:", "shcema:"))
    shown.write(ROWS)
    answer = shown.answer(shown.release(), GATE)
    assert (answer.verdict, "contracts cannot be compared: DP-Y015" in answer.message) == ("fail", True)
