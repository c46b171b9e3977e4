"""A plan is of one question: it stays while nothing moves, and is refused when the world has moved past it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly
from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.events import Publication
from dataops_platform.release.promotion.approvals import approve
from dataops_platform.release.promotion.differences import sections
from dataops_platform.release.promotion.gates import ask
from dataops_platform.release.promotion.promote import find_plan, promote, propose

OTHERS = "select * from (values (1, 10.0, 'a@x'), (2, 25.0, null), (3, 1.0, 'c@x')) as t(id, amount, email)"


def test_the_id_of_a_plan_stays_while_nothing_moves(world: Any) -> None:
    world.write()
    release = world.release()
    first = world.plan(release)
    world.now += timedelta(hours=1)
    assert world.plan(release).id == first.id
    assert find_plan(world.lake, str(first)).to_plain() == first.to_plain()


def test_the_id_is_another_after_a_promotion(world: Any) -> None:
    world.write()
    release = world.release()
    first = world.plan(release)
    world.promote(first)
    assert world.plan(release).id != first.id


def test_the_id_is_another_when_the_gates_are(world: Any) -> None:
    world.write()
    release = world.release()
    first = world.plan(release)
    world.gates("contracts")
    assert world.plan(release).id != first.id


def test_a_stale_plan_is_refused_and_says_who_came_first(world: Any, acting: Any) -> None:
    world.write()
    release = world.release()
    mine = world.plan(release)
    world.write(OTHERS)
    theirs = world.release()
    acting("bob")
    world.promote(world.plan(theirs))
    with pytest.raises(LostRace, match=f"^DP-L010 bob came first: promotion of release {theirs} to prod") as lost:
        world.promote(mine)
    assert lost.value.exit_code == 3
    assert world.lake.state("prod").release == theirs.id


def test_a_plan_past_other_gates_than_those_of_now_is_refused(world: Any) -> None:
    world.write()
    plan = world.plan(world.release())
    world.gates("checks")
    with pytest.raises(LostRace, match=r"^DP-G002 The gates of prod changed since plan") as lost:
        world.promote(plan)
    assert lost.value.exit_code == 3
    assert world.lake.state("prod").sequence == 0


def test_a_publication_meanwhile_does_not_make_a_plan_stale(shown: Any) -> None:
    shown.write(OTHERS)
    release = shown.release()
    plan = shown.plan(release)
    state = shown.lake.state("prod")
    shown.lake.switch("prod", cut_of([shown.lake.heads("dev")["orders"]]), state, Publication(actor="x"))
    assert shown.plan(release).id == plan.id
    assert shown.promote(plan).release == release.id


def test_a_no_leaves_everything_as_it_was_and_names_the_gate(world: Any) -> None:
    world.gates("{approval: {by: [bob]}}")
    world.write()
    plan = world.plan(world.release())
    with pytest.raises(Refused, match=r"^DP-G001 Gates fail: approval: 0 of 1 by bob") as refused:
        world.promote(plan)
    assert refused.value.exit_code == 1
    assert [event.kind for event in world.lake.events("prod")] == ["refused"]
    assert world.lake.state("prod").publication == ""


def test_carrying_out_a_plan_reads_no_rows(shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown.gates("contracts", "checks", "no_breaking_change", "model_not_worse")
    shown.write(OTHERS)
    plan = shown.plan(shown.release())
    asked: list[str] = []
    connection = shown.lake.connection

    class Watched:
        def execute(self, query: str, *values: Any) -> Any:
            asked.append(query)
            return connection.execute(query, *values)

    with monkeypatch.context() as patched:
        patched.setattr(shown.lake, "connection", Watched())
        shown.promote(plan)
    of_rows = [query for query in asked if '__build"."orders"' in query]
    assert of_rows, "the switch describes and points at the table"
    assert all(query.startswith(("describe ", "create or replace view ")) for query in of_rows)


def test_a_plan_made_again_reads_rows_only_when_something_was_published(
    shown: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.write(OTHERS)
    release = shown.release()
    read: list[str] = []
    real = sections.rows_section

    def rows_section(*given: Any) -> Any:
        read.append("rows")
        return real(*given)

    monkeypatch.setattr(sections, "rows_section", rows_section)
    first, again = shown.plan(release), shown.plan(release)
    assert (read, again.differences["rows"]) == (["rows"], first.differences["rows"])
    cut = cut_of([shown.lake.heads("dev")["orders"]])
    shown.lake.switch("prod", cut, shown.lake.state("prod"), Publication(actor="x"))
    assert shown.plan(release).differences["rows"]["message"] == "0 tables differ, 1 are the same."
    assert read == ["rows", "rows"]


def test_a_yes_of_the_plan_is_not_asked_again_and_a_no_is(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.gates("checks", "contracts")
    world.write()
    plan = world.plan(world.release())
    asked: list[str] = []
    gates = {name: (lambda q, s, n=name: asked.append(n) or ask.table_gates.checks(q, s)) for name in ask.GATES}
    monkeypatch.setattr(ask, "GATES", gates)
    no = [replace(a, verdict="fail") if a.gate == "checks" else a for a in plan.answers]
    world.promote(replace(plan, answers=tuple(no)))
    assert asked == ["checks"]


def test_a_plan_of_another_environment_is_not_carried_out(world: Any) -> None:
    world.file(
        "dataops.yaml",
        "project: shop\nowner: team:sales\nenvironments:\n  dev: {}\n  staging: {from: dev}\n  prod: {from: staging}\n",
    )
    world.write()
    release = world.release()
    plan = propose(world.session("staging"), release)
    with pytest.raises(UsedWrongly, match=rf"^DP-L017 Plan {plan} is for staging, not for prod") as wrong:
        promote(world.session(), plan)
    assert wrong.value.exit_code == 2
    assert [world.lake.state(name).sequence for name in ("staging", "prod")] == [0, 0]


def test_who_is_overtaken_while_the_gates_are_asked_lost_a_race_and_was_not_refused(
    world: Any, acting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.gates("{approval: {by: [bob]}}")
    world.write()
    mine = world.plan(world.release())
    world.write(OTHERS)
    theirs = world.plan(world.release())
    for plan in (mine, theirs):
        acting("bob")
        approve(world.session(), plan)
    real, rivals = ask.GATES["approval"], [theirs]

    def overtaken(question: Any, settings: Any) -> Any:
        if rivals:
            world.promote(rivals.pop())
        return real(question, settings)

    monkeypatch.setattr(ask, "GATES", {**ask.GATES, "approval": overtaken})
    with pytest.raises(LostRace, match=r"^DP-L010 bob came first"):
        world.promote(mine)
    assert [event.kind for event in world.lake.events("prod")] == ["approval", "approval", "promotion"]


@pytest.mark.parametrize("name", ["dataops.yaml", "contracts/waivers.yaml"])
def test_who_changes_the_gates_and_does_not_commit_that_promotes_nothing(world: Any, name: str) -> None:
    world.gates("{approval: {by: [bob]}}")
    world.write()
    release = world.release()
    world.gates()
    if name != "dataops.yaml":
        world.commit("Nobody need approve")
        world.file(name, "waivers: []\n")
    plan = world.plan(release)
    with pytest.raises(Refused, match=f"^DP-G001 Gates fail: origin: {name}: not as committed"):
        world.promote(plan)
    assert world.lake.state("prod").publication == ""
    world.commit("Everybody has seen it")
    assert world.promote(world.plan(release)).release == release.id


def test_what_an_empty_variable_of_a_script_names_is_not_guessed(world: Any, dataops_in: Any) -> None:
    dataops = dataops_in(world.folder)
    world.shown()
    world.shown(OTHERS)
    events = world.lake.events("prod")
    for command in (["promote", "--to", "prod", "--plan", ""], ["rollback", "prod", "--to", ""]):
        said = dataops(*command)
        assert (said.exit_code, said.err[:7] in ("DP-L015", "DP-L079")) == (2, True), said.text
    both = dataops("rollback", "prod", "--to", "1", "--data")
    assert (both.exit_code, "--to and --data exclude one another" in both.err) == (2, True)
    assert world.lake.events("prod") == events
