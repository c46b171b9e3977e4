"""A publication is one consistent cut under today's contracts, or none; rivals are looked at and not overrun."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.contracts.contract import Contract
from dataops_platform.kit.clock import utc_now
from dataops_platform.kit.errors import LostRace, Refused
from dataops_platform.manifests.events import Publication
from dataops_platform.settings.project import Project
from dataops_platform.stages.publish.run import ATTEMPTS, PublishStep, consistent_cut, publish
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse.lake import Lake
from tests.fixtures import lakes
from tests.fixtures.lakes import ANN

RUN = RunContext("run-1", ANN, utc_now)


def test_a_cut_made_from_itself_is_published_with_its_event(lake: Lake, project: Project) -> None:
    orders = lakes.write(lake, "orders", "select 1 as id")
    lakes.write(lake, "sales", "select 10 as total", inputs=[orders.ref()])
    state, moved = publish(lake, project, ["orders", "sales"], {}, RUN)
    assert moved
    assert lake.state("dev") == state
    assert (lakes.shown(lake, "orders"), lakes.shown(lake, "sales")) == ([(1,)], [(10,)])
    assert isinstance(state.event, Publication)
    assert (state.event.run, state.event.sequence, state.event.publication) == ("run-1", 1, state.cut.id)


def test_a_member_made_from_older_rows_is_refused_by_name(lake: Lake, project: Project) -> None:
    old = lakes.write(lake, "orders", "select 1 as id")
    lakes.write(lake, "sales", "select 10 as total", inputs=[old.ref()])
    lakes.write(lake, "orders", "select 2 as id")
    with pytest.raises(Refused, match=r"^DP-P101 .*sales was made from an older orders.*--select sales;") as caught:
        publish(lake, project, ["orders", "sales"], {}, RUN)
    assert caught.value.exit_code == 1
    assert lake.state("dev").sequence == 0
    assert consistent_cut(lake, project, ["sales"], {}, lake.state("dev")).members[0].name == "sales", (
        "orders is no member here"
    )
    new = lake.heads("dev")["orders"]
    lakes.write(lake, "sales", "select 20 as total", inputs=[new.ref()])
    publish(lake, project, ["orders", "sales"], {}, RUN)
    lakes.write(lake, "orders", "select 3 as id")
    with pytest.raises(Refused, match=r"^DP-P101 .*sales was made from an older orders"):
        publish(lake, project, ["orders", "sales"], {}, RUN)


def test_staleness_is_seen_through_tables_that_are_not_published(lake: Lake, project: Project) -> None:
    orders = lakes.write(lake, "orders", "select 1 as id")
    between = lakes.write(lake, "between", "select 1 as id", inputs=[orders.ref()])
    lakes.write(lake, "sales", "select 10 as total", inputs=[between.ref()])
    lakes.write(lake, "orders", "select 2 as id")
    with pytest.raises(Refused, match=r"^DP-P101 .*sales was made from an older orders"):
        publish(lake, project, ["orders", "sales"], {}, RUN)


def test_one_partition_written_again_makes_what_was_made_from_it_stale(lake: Lake, project: Project) -> None:
    raw = lakes.write(lake, "raw", "select 1 as id, unnest(['a', 'b']) as _dp_partition", ["a", "b"])
    for part in "ab":
        lakes.write(lake, "orders", f"select 1 as id, '{part}' as _dp_partition", [part], inputs=[raw.ref(part)])
    publish(lake, project, ["raw", "orders"], {}, RUN)
    lakes.write(lake, "raw", "select 2 as id, 'b' as _dp_partition", ["b"])
    with pytest.raises(Refused, match=r"^DP-P101 The cut is not consistent: orders \(partition b\) was made"):
        publish(lake, project, ["raw", "orders"], {}, RUN)


def test_the_same_rows_written_again_make_nothing_stale_and_move_nothing(lake: Lake, project: Project) -> None:
    orders = lakes.write(lake, "orders", "select 1 as id")
    lakes.write(lake, "sales", "select 10 as total", inputs=[orders.ref()])
    first, _ = publish(lake, project, ["orders", "sales"], {}, RUN)
    lakes.write(lake, "orders", "select 1.0 as id", run="again")
    state, moved = publish(lake, project, ["sales", "orders"], {}, RunContext("run-2", ANN, utc_now))
    assert (state.publication, state.moved, moved) == (first.publication, first.moved, False)
    assert [event.kind for event in lake.events("dev")] == ["publication", "duplicate"]
    publish(lake, project, ["sales", "orders"], {}, RunContext("run-3", ANN, utc_now, skip_unchanged=True))
    assert len(lake.events("dev")) == 2, "nothing was delivered"


def test_a_renamed_column_is_published(lake: Lake, project: Project) -> None:
    """Rows alone would say that nothing changed, and consumers would never see the new name."""
    lakes.write(lake, "orders", "select 1 as id")
    publish(lake, project, ["orders"], {}, RUN)
    lakes.write(lake, "orders", "select 1 as number")
    _, moved = publish(lake, project, ["orders"], {}, RUN)
    assert moved
    assert lake.connection.execute("select number from lake.dev.orders").fetchall() == [(1,)]


def test_a_table_audited_under_another_contract_is_refused(lake: Lake, project: Project) -> None:
    lakes.write(lake, "orders", "select 1 as id, unnest(['a', 'b']) as _dp_partition", ["a", "b"], contract="v1")
    publish(lake, project, ["orders"], {"orders": contract("v1")}, RUN)
    with pytest.raises(Refused, match=r"^DP-P102 orders was audited under version .*--select orders;"):
        publish(lake, project, ["orders"], {"orders": contract("v2")}, RUN)
    lakes.write(lake, "orders", "select 1 as id, 'a' as _dp_partition", ["a"], contract="v2")
    with pytest.raises(Refused, match=r"^DP-P102"):
        publish(lake, project, ["orders"], {"orders": contract("v2")}, RUN)
    lakes.write(lake, "orders", "select 1 as id, 'b' as _dp_partition", ["b"], contract="v2")
    _, moved = publish(lake, project, ["orders"], {"orders": contract("v2")}, RUN)
    assert moved, "the same rows under another contract are another publication"


def test_a_name_without_an_audited_version_is_refused(lake: Lake, project: Project) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    lakes.write(lake, "sales", "select 1 as id", environment="prod")
    with pytest.raises(Refused, match=r"^DP-W007 publication reads sales, which has no audited version in dev"):
        publish(lake, project, ["orders", "sales"], {}, RUN)
    assert lake.state("dev").sequence == 0


def test_a_rival_between_the_look_and_the_switch_is_not_overrun(
    lake: Lake, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    lakes.write(lake, "lines", "select 1 as id")
    switch = lake.switch

    def with_a_rival_first(*arguments: Any) -> Any:
        monkeypatch.setattr(lake, "switch", switch)
        lakes.write(lake, "lines", "select 2 as id")
        publish(lake, project, ["orders", "lines"], {}, RunContext("rival", ANN, utc_now))
        lakes.write(lake, "orders", "select 2 as id")
        return switch(*arguments)

    monkeypatch.setattr(lake, "switch", with_a_rival_first)
    state, moved = publish(lake, project, ["orders", "lines"], {}, RUN)
    assert (moved, state.sequence) == (True, 2)
    assert [event.run for event in lake.events("dev")] == ["rival", "run-1"]
    assert (lakes.shown(lake, "orders"), lakes.shown(lake, "lines")) == ([(2,)], [(2,)])


def test_a_rival_that_published_the_same_cut_leaves_nothing_to_do(
    lake: Lake, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    switch = lake.switch

    def with_a_rival_first(*arguments: Any) -> Any:
        monkeypatch.setattr(lake, "switch", switch)
        publish(lake, project, ["orders"], {}, RunContext("rival", ANN, utc_now))
        return switch(*arguments)

    monkeypatch.setattr(lake, "switch", with_a_rival_first)
    state, moved = publish(lake, project, ["orders"], {}, RUN)
    assert (moved, state.moved.run) == (False, "rival")
    assert [event.kind for event in lake.events("dev")] == ["publication", "duplicate"]


def test_who_loses_every_race_is_told(lake: Lake, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    lost = []

    def always_lose(*_: Any) -> Any:
        lost.append(1)
        raise LostRace("DP-W004", environment="dev", publication="a1")

    monkeypatch.setattr(lake, "switch", always_lose)
    with pytest.raises(LostRace, match="DP-W004"):
        publish(lake, project, ["orders"], {}, RUN)
    assert len(lost) == ATTEMPTS


def test_a_failure_that_is_no_lost_race_is_not_tried_again(
    lake: Lake, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    tried = []

    def fail(*_: Any) -> Any:
        tried.append(1)
        raise OSError("disk full")

    monkeypatch.setattr(lake, "switch", fail)
    with pytest.raises(OSError, match="disk full"):
        publish(lake, project, ["orders"], {}, RUN)
    assert len(tried) == 1


def test_the_step_says_what_is_shown_and_whether_it_moved(lake: Lake, project: Project) -> None:
    head = lakes.write(lake, "orders", "select 1 as id", contract="v1")
    step = PublishStep(project, ("orders",), (), {"orders": contract("v1")})
    first, again = (step.run(lake, RUN, [""])[0] for _ in range(2))
    assert (first.unchanged, again.unchanged) == (False, True)
    assert first.digest == again.digest == lake.state("dev").publication
    assert first.shown["members"] == [
        {"name": "orders", "kind": "table", "rows": 1, "version": head.version, "digest": head.digest}
    ]


@pytest.mark.races
def test_of_processes_that_publish_at_once_all_get_in(race: Callable[[int, int], None]) -> None:
    race(2, 4)


def contract(digest: str) -> Contract:
    return Contract("orders", "1.0.0", "orders", "team:shop", "", (), (), digest, Path("orders.odcs.yaml"))
