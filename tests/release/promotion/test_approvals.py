"""Approvals: signed by a real SSH key, or not authenticated; of one plan, by somebody known, as they were written."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.actor import Actor, ActorSource
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly
from dataops_platform.manifests import events
from dataops_platform.manifests.events import Unknown, by, event_text, hash_of
from dataops_platform.release.promotion import approvals as registered
from dataops_platform.release.promotion.approvals import CheckedApproval, approve, vouched_for
from dataops_platform.release.promotion.plan import Plan

BY_BOB = "{approval: {by: [bob]}}"
SIGNED = "{approval: {by: [bob], signed: true}}"


@pytest.fixture
def key(tmp_path: Path) -> Callable[[str], Path]:
    """Makes an SSH key without a passphrase."""

    def made(name: str) -> Path:
        path = tmp_path / f"key_{name}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
        return path

    return made


def line(principal: str, key: Path) -> str:
    return f"{principal} {key.with_suffix('.pub').read_text()}"


def say_yes(world: Any, plan: Plan, why: str = "", key: Path | None = None) -> CheckedApproval:
    return approve(world.session(), plan, why, key)


def verdict(world: Any, plan: Plan) -> tuple[str, str]:
    """What the gate says of a plan now."""
    from dataops_platform.release.release import find_release

    (found,) = [a for a in world.plan(find_release(world.lake, plan.release)).answers if a.gate == "approval"]
    return found.verdict, found.message


def planned(world: Any, *gates: str, roles: str = "{}") -> Plan:
    world.gates(*gates, roles=roles)
    world.write()
    plan: Plan = world.plan(world.release())
    return plan


def test_a_declared_approval_counts_where_no_signature_is_asked_for_and_says_what_it_is(
    world: Any, acting: Any
) -> None:
    plan = planned(world, BY_BOB)
    assert verdict(world, plan) == ("fail", "0 of 1 by bob")
    assert plan.next == (f"dataops approve {plan}", f"dataops promote --to prod --plan {plan}")
    acting("bob")
    given = say_yes(world, plan, "looked at the rows")
    assert str(given) == "bob (declared, not authenticated)"
    assert verdict(world, plan) == ("pass", "1 of 1 by bob: bob (declared, not authenticated)")
    acting("ann")
    world.promote(plan)
    (event,) = [e for e in world.lake.events("prod") if e.kind == "approval"]
    assert (event.by, event.plan, event.why) == ("bob", plan.id, "looked at the rows")


def test_an_approval_said_twice_is_one_event(world: Any, acting: Any) -> None:
    plan = planned(world, "{approval: {by: [bob], count: 2}}")
    acting("bob")
    say_yes(world, plan)
    say_yes(world, plan)
    assert len(world.lake.events("prod")) == 1
    assert verdict(world, plan)[1] == "1 of 2 by bob: bob (declared, not authenticated)"


def test_two_of_a_role_must_be_two_people(world: Any, acting: Any) -> None:
    plan = planned(
        world, "{approval: {by: ['role:manager'], count: 2}}", roles="{manager: [bob, bob@example.org, eve]}"
    )
    for name in ("bob", "bob@example.org"):
        acting(name)
        say_yes(world, plan)
    assert verdict(world, plan)[0] == "fail"
    acting("eve")
    say_yes(world, plan)
    assert verdict(world, plan)[0] == "pass"


def test_a_role_of_anybody_counts_whoever_it_is_but_still_asks_for_four_eyes(world: Any, acting: Any) -> None:
    plan = planned(world, "{approval: {by: ['role:anybody'], four_eyes: true}}", roles="{anybody: ['*']}")
    say_yes(world, plan)
    assert verdict(world, plan)[0] == "fail", "ann built it"
    acting("somebody_new")
    say_yes(world, plan)
    acting("carl")
    assert verdict(world, plan)[0] == "pass"


def test_somebody_who_is_not_named_does_not_count(world: Any, acting: Any) -> None:
    plan = planned(world, "{approval: {by: ['role:manager']}}", roles="{manager: [bob]}")
    acting("eve")
    say_yes(world, plan)
    assert verdict(world, plan) == ("fail", "0 of 1 by role:manager; does not count: eve: not among role:manager")


@pytest.mark.parametrize("name", ["ann", "ann@example.org"])
def test_four_eyes_are_not_those_of_who_built_the_release(world: Any, acting: Any, name: str) -> None:
    plan = planned(world, f"{{approval: {{by: [{name}], four_eyes: true}}}}")
    acting(name)
    say_yes(world, plan)
    acting("carl")
    assert verdict(world, plan) == ("fail", f"0 of 1 by {name}; does not count: {name}: built the release")


def test_four_eyes_are_not_those_of_who_promotes(world: Any, acting: Any) -> None:
    plan = planned(world, "{approval: {by: [bob], four_eyes: true}}")
    acting("bob")
    say_yes(world, plan)
    assert verdict(world, plan) == ("fail", "0 of 1 by bob; does not count: bob: promotes it")
    with pytest.raises(
        Refused, match=r"^DP-G001 Gates fail: approval: 0 of 1 by bob; does not count: bob: promotes it"
    ):
        world.promote(plan)
    acting("carl")
    assert world.promote(plan).release == plan.release


def test_an_approval_of_a_stale_plan_is_refused_and_does_not_carry_over(world: Any, acting: Any) -> None:
    plan = planned(world, BY_BOB)
    acting("bob")
    say_yes(world, plan)
    world.promote(plan)
    again = world.plan(room_release(world, plan))
    assert verdict(world, again) == ("fail", "0 of 1 by bob")
    with pytest.raises(LostRace, match=r"^DP-L020 Plan .* is stale: prod changed since") as lost:
        say_yes(world, plan)
    assert lost.value.exit_code == 3


def room_release(world: Any, plan: Plan) -> Any:
    from dataops_platform.release.release import find_release

    return find_release(world.lake, plan.release)


def test_a_signature_counts_under_the_name_that_the_repository_gives_the_key(world: Any, key: Any) -> None:
    bobs = key("bob")
    world.file("allowed_signers", line("bob", bobs))
    plan = planned(world, SIGNED)
    given = say_yes(world, plan, key=bobs)
    assert (str(given), given.is_declared) == ("bob (signed)", False)
    assert verdict(world, plan) == ("pass", "1 of 1 by bob: bob (signed)")
    world.promote(plan)
    assert world.lake.state("prod").event.gates[-1].message == "1 of 1 by bob: bob (signed)"


def test_where_signatures_are_asked_for_a_declaration_does_not_count(world: Any, acting: Any) -> None:
    plan = planned(world, SIGNED)
    acting("bob")
    say_yes(world, plan)
    assert verdict(world, plan) == ("fail", "0 of 1 by bob; does not count: bob: not signed")


@pytest.mark.parametrize("four_eyes", ["false", "true"])
@pytest.mark.parametrize("source", ["process", "variable", "tag"])
def test_no_name_stands_in_for_a_signature_wherever_it_comes_from(
    world: Any, source: ActorSource, four_eyes: str
) -> None:
    plan = planned(world, f"{{approval: {{by: [bob], signed: true, four_eyes: {four_eyes}}}}}")
    event = events.Approval(
        **by(Actor("bob", source)), by="bob", plan=plan.id, approved=plan.release, why="", signature=""
    )
    world.lake.note("prod", event)
    assert verdict(world, plan) == ("fail", "0 of 1 by bob; does not count: bob: not signed")


def test_only_a_declared_name_is_shown_as_declared(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(world, BY_BOB)
    monkeypatch.delenv("DATAOPS_ACTOR")
    monkeypatch.setenv("LOGNAME", "bob")
    assert str(say_yes(world, plan)) == "bob (not authenticated)"
    assert verdict(world, plan) == ("pass", "1 of 1 by bob: bob (not authenticated)")


def test_a_key_that_nobody_knows_is_refused_and_nothing_is_written(world: Any, key: Any) -> None:
    world.file("allowed_signers", line("bob", key("bob")))
    plan = planned(world, SIGNED)
    with pytest.raises(Refused, match=r"^DP-L021 allowed_signers has no line for this key"):
        say_yes(world, plan, key=key("eve"))
    assert world.lake.events("prod") == []


def test_a_file_that_cannot_sign_is_named(world: Any) -> None:
    plan = planned(world, SIGNED)
    with pytest.raises(UsedWrongly, match=r"^DP-L022 pyproject.toml cannot sign"):
        say_yes(world, plan, key=world.folder / "pyproject.toml")
    with pytest.raises(UsedWrongly, match=r"^DP-L022 nowhere cannot sign"):
        say_yes(world, plan, key=world.folder / "nowhere")


def test_a_list_of_signers_that_is_not_committed_lets_nobody_sign(world: Any, key: Any) -> None:
    bobs, eves = key("bob"), key("eve")
    world.file("allowed_signers", line("bob", bobs))
    plan = planned(world, SIGNED)
    world.file("allowed_signers", line("bob", eves))
    with pytest.raises(
        Refused, match=r"^DP-L081 A signature would not count: allowed_signers is not as it is committed"
    ):
        say_yes(world, plan, key=eves)
    world.git("checkout", "-q", "allowed_signers")
    say_yes(world, plan, key=bobs)
    world.file("allowed_signers", line("bob", bobs) + line("eve", eves))
    assert "bob: allowed_signers is not as it is committed" in verdict(world, plan)[1]
    (world.folder / "allowed_signers").unlink()
    assert "bob: there is no file allowed_signers beside dataops.yaml" in verdict(world, plan)[1]


def test_a_key_that_was_taken_back_does_not_count_any_more(world: Any, key: Any) -> None:
    bobs = key("bob")
    world.file("allowed_signers", line("bob", bobs))
    plan = planned(world, SIGNED)
    say_yes(world, plan, key=bobs)
    world.file("allowed_signers", line("bob", key("new")))
    world.commit()
    assert verdict(world, plan) == (
        "fail",
        "0 of 1 by bob; does not count: bob: allowed_signers knows no such signature of this plan",
    )


def test_a_signature_over_another_plan_or_in_another_name_does_not_count(world: Any, key: Any) -> None:
    bobs, eves = key("bob"), key("eve")
    world.file("allowed_signers", line("bob", bobs) + line("eve", eves))
    plan = planned(world, SIGNED)
    other = registered.sign(bobs, digest_of("another plan"))
    in_other_name = registered.sign(eves, plan.id)
    for signature in (other, in_other_name, "no signature"):
        event = events.Approval(actor="eve", by="bob", plan=plan.id, approved=plan.release, why="", signature=signature)
        world.lake.note("prod", event)
    said = verdict(world, plan)
    assert (said[0], said[1].count("knows no such signature of this plan")) == ("fail", 3)


def test_an_event_that_was_edited_does_not_count(world: Any, acting: Any) -> None:
    plan = planned(world, BY_BOB)
    acting("eve")
    say_yes(world, plan)
    world.lake.note("prod", Unknown(kind="note", actor="eve"))
    edit(world, 1, by="bob", actor="bob")
    assert [e.by for e in world.lake.events("prod") if e.kind == "approval"] == ["bob"]
    assert verdict(world, plan) == ("fail", "0 of 1 by bob")


def test_an_event_that_was_put_beside_the_chain_does_not_count(world: Any, acting: Any) -> None:
    plan = planned(world, BY_BOB)
    acting("eve")
    say_yes(world, plan)
    real = world.lake.events("prod")[0]
    forged = event_text(replace(real, by="bob", actor="bob", sequence=2, previous=hash_of(event_text(real))))
    world.lake.connection.execute(
        "insert into lake._dataops.ledger values ('prod', 2, $hash, $body, null)",
        {"hash": hash_of(forged), "body": forged},
    )
    assert [e.by for e in vouched_for(world.lake, "prod")] == ["eve"]
    assert verdict(world, plan)[0] == "fail"


def edit(world: Any, sequence: int, **changes: Any) -> None:
    """Changes an event of prod behind the platform's back."""
    event = event_text(replace(world.lake.events("prod")[sequence - 1], **changes))
    world.lake.connection.execute(
        "update lake._dataops.ledger set body = $body where environment = 'prod' and sequence = $sequence",
        {"body": event, "sequence": sequence},
    )


def test_the_command_approves_and_the_gate_lets_pass(world: Any, acting: Any, key: Any, dataops_in: Any) -> None:
    bobs = key("bob")
    world.file("allowed_signers", line("bob,bob@example.org", bobs))
    plan = planned(world, "{approval: {by: [bob], four_eyes: true, signed: true}}")
    dataops = dataops_in(world.folder)
    refused = dataops("plan", "--to", "prod")
    assert (refused.exit_code, f"dataops approve {plan}" in refused.out) == (1, True)
    markdown = dataops("plan", "--to", "prod", "--markdown")
    assert (markdown.exit_code, markdown.out.startswith(f"## Plan {plan}\n")) == (1, True)
    assert dataops("plan", "--to", "prod", "--json").json["id"] == plan.id
    said = dataops("approve", str(plan), "--why", "it is good", "--sign", str(bobs))
    assert (said.exit_code, said.out) == (0, f"bob (signed) approved plan {plan} of prod\n")
    assert dataops("approve", str(plan), "--sign", str(bobs), "--json").json["by"] == "bob"
    assert dataops("plan", "--to", "prod").exit_code == 0
    done = dataops("promote", "--to", "prod", "--plan", str(plan))
    assert (done.exit_code, "prod shows release" in done.out) == (0, True)
    stale = dataops("promote", "--to", "prod", "--plan", str(plan))
    assert (stale.exit_code, stale.err.startswith("DP-L074 ann carried out this plan first")) == (3, True)
    assert dataops("approve", str(plan)).exit_code == 3
    unknown = dataops("approve", "0000")
    assert (unknown.exit_code, unknown.err.startswith("DP-L015 There is no plan '0000'")) == (2, True)
