"""Contracts, checks, freshness, origin: each passes and fails; and a no that is waived is shown as that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dataops_platform.kit.errors import Refused
from dataops_platform.manifests.manifest import Verdict

MORE = "select * from (values (1, 10.0, 'a@x'), (3, 1.0, 'c@x')) as t(id, amount, email)"


def test_contracts_pass_where_each_table_was_audited_under_the_contract_of_the_release(world: Any) -> None:
    world.gates("contracts")
    world.write(verdicts=(Verdict("amount:required", "error", 0), Verdict("rows", "error", 0, 5.0)))
    answer = world.answer(world.release(), "contracts")
    assert (answer.verdict, answer.message) == ("pass", "1 tables hold their contracts (2 verdicts)")


def test_contracts_fail_where_the_contract_is_another_by_now(world: Any) -> None:
    world.gates("contracts")
    world.write()
    path = world.folder / "contracts" / "orders.odcs.yaml"
    world.file("contracts/orders.odcs.yaml", path.read_text().replace("required: true", "unique: true"))
    answer = world.answer(world.release(), "contracts")
    assert (answer.verdict, answer.message) == ("fail", "not audited under their contract: orders")


def test_contracts_fail_where_there_is_none(world: Any) -> None:
    world.gates("contracts")
    world.write(table="loose")
    assert world.answer(world.release(), "contracts").message == "not audited under their contract: loose"


def test_contracts_fail_where_rows_together_break_a_rule(world: Any) -> None:
    world.gates("contracts")
    world.write(verdicts=(Verdict("rows", "error", 1, 0.0), Verdict("amount:required", "error", 3)))
    answer = world.answer(world.release(), "contracts")
    assert (answer.verdict, answer.message) == ("fail", "broken: orders rows")


def test_checks_pass_where_no_more_rows_are_warned_of_than_before(world: Any) -> None:
    world.gates("checks")
    world.shown(verdicts=(Verdict("amount:minimum", "warning", 5),))
    world.write(MORE, verdicts=(Verdict("amount:minimum", "warning", 5), Verdict("x", "error", 9)))
    answer = world.answer(world.release(), "checks")
    assert (answer.verdict, answer.message) == ("pass", "5 rows are warned of, 5 before")


def test_a_table_that_is_new_may_warn(world: Any) -> None:
    world.gates("checks")
    world.write(verdicts=(Verdict("amount:minimum", "warning", 2),))
    answer = world.answer(world.release(), "checks")
    assert (answer.verdict, answer.message) == ("pass", "2 rows are warned of, 0 before")


def test_checks_fail_where_a_rule_warns_of_more(shown: Any) -> None:
    shown.gates("checks")
    shown.write(MORE, verdicts=(Verdict("amount:minimum", "warning", 2),))
    answer = shown.answer(shown.release(), "checks")
    said = "2 rows are warned of, 0 before; more than before: orders amount:minimum 2"
    assert (answer.verdict, answer.message) == ("fail", said)
    assert answer.evidence == {"warnings": {"orders amount:minimum": 2}, "before": {}}


FRESH = "slaProperties: [{property: freshness, value: 2, unit: d}]\nschema:"


def test_freshness_is_that_of_the_moment_and_asked_again_when_the_plan_is_carried_out(world: Any) -> None:
    world.gates("freshness")
    path = world.folder / "contracts" / "orders.odcs.yaml"
    world.file("contracts/orders.odcs.yaml", path.read_text().replace("schema:", FRESH))
    world.write(recorded_at=(world.now - timedelta(days=1)).isoformat())
    plan = world.plan(world.release())
    assert (plan.answers[1].verdict, plan.answers[1].message) == ("pass", "1 tables promise freshness and are fresh")
    world.now += timedelta(days=2)
    with pytest.raises(Refused, match=r"^DP-G001 Gates fail: freshness: late: orders \(3 D old\)"):
        world.promote(plan)


def test_freshness_passes_where_nothing_is_promised(world: Any) -> None:
    world.gates("freshness")
    world.write()
    assert world.answer(world.release(), "freshness").message == "0 tables promise freshness and are fresh"


def test_a_release_with_changes_in_no_commit_goes_nowhere(world: Any) -> None:
    world.write()
    world.commit()
    world.file("src/new.py", "")
    from dataops_platform.manifests.cut import cut_of
    from dataops_platform.release.build import freeze

    release = freeze(world.session("dev"), cut_of(world.lake.heads("dev").values()))
    answer = world.answer(release, "origin")
    assert (answer.verdict, answer.message) == ("fail", "it was built with changes that are in no commit")


WAIVED = "{checks: {waived: {by: bob, why: 'known to be late', until: %s}}}"


def test_a_no_that_is_waived_lets_pass_and_says_who_and_why_until_when(shown: Any) -> None:
    shown.gates(WAIVED % "2013-03-01")
    shown.write(MORE, verdicts=(Verdict("amount:minimum", "warning", 2),))
    plan = shown.plan(shown.release())
    answer = plan.answers[1]
    assert answer.verdict == "waived"
    assert answer.message.endswith("; waived by bob until 2013-03-01: known to be late")
    assert answer.evidence["waived"] == [{"by": "bob", "why": "known to be late", "until": "2013-03-01"}]
    assert plan.passes
    shown.promote(plan)
    assert [g.verdict for g in shown.lake.state("prod").event.gates] == ["pass", "waived"]


def test_a_waiver_that_ran_out_since_the_plan_was_made_waives_nothing(shown: Any) -> None:
    shown.gates(WAIVED % "2013-03-01")
    shown.write(MORE, verdicts=(Verdict("amount:minimum", "warning", 2),))
    plan = shown.plan(shown.release())
    shown.now += timedelta(days=1)
    with pytest.raises(Refused, match=r"^DP-G001 Gates fail: checks: 2 rows are warned of, 0 before"):
        shown.promote(plan)
    assert shown.answer(shown.release(), "checks").message.endswith("; the waiver by bob ended on 2013-03-01")


def test_a_yes_needs_no_waiver(world: Any) -> None:
    world.gates(WAIVED % "2013-03-01")
    world.write()
    assert world.answer(world.release(), "checks").verdict == "pass"
