"""The audited write of a table, which every stage shares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.kit.clock import utc_now
from dataops_platform.kit.errors import Refused
from dataops_platform.manifests.manifest import WHOLE, StepIdentity, Verdict
from dataops_platform.stages.asset import Asset
from dataops_platform.stages.audit import make_changed, write_audited
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse.lake import Lake
from tests.fixtures.lakes import ANN

RUN = RunContext("run", ANN, utc_now)
ORDERS = Asset("dev", "extract", "orders")
STEP = {WHOLE: StepIdentity("code", "config", "", ())}


def write(lake: Lake, audit: BatchAudit, rows: str) -> None:
    with lake.stage("dev", "orders") as staging:
        write_audited(staging, ORDERS, RUN, STEP, [audit], rows)


def test_what_was_written_is_the_head_with_the_counts_and_verdicts_of_its_audit(lake: Lake) -> None:
    verdicts = (Verdict("readable", "error", 1),)
    write(lake, BatchAudit(WHOLE, 3, 1, verdicts), "from (values (1), (2)) t(id)")
    (made,) = lake.heads("dev")["orders"].manifests
    assert (made.rows_in, made.rows_audited, made.rows_refused, made.verdicts) == (3, 2, 1, verdicts)
    assert (made.step, made.run_id, made.stage, made.kind) == (STEP[WHOLE], "run", "extract", "table")


@pytest.mark.parametrize("rows", ["from (values (1)) t(id)", "from (values (1), (2), (3)) t(id)"])
def test_a_write_with_more_or_fewer_rows_than_were_audited_is_refused_and_leaves_nothing(lake: Lake, rows: str) -> None:
    with pytest.raises(Refused, match="has 3 input rows, of which 1 are refused") as refused:
        write(lake, BatchAudit(WHOLE, 3, 1, ()), rows)
    assert refused.value.code == "DP-S012"
    assert lake.heads("dev") == {}


@pytest.mark.parametrize(("skips", "written"), [(True, 1), (False, 2)])
def test_only_a_run_that_skips_what_is_unchanged_leaves_it_out(lake: Lake, skips: bool, written: int) -> None:
    said: list[str] = []

    def make(identities: object) -> None:
        said.append("made")
        write(lake, BatchAudit(WHOLE, 1, 0, ()), "select 1 as id")

    context = replace(RUN, skip_unchanged=skips)
    for _ in range(2):
        outcome = make_changed(lake, context, ORDERS, lake.heads("dev").get("orders"), STEP, make)
    assert (len(said), outcome.unchanged, outcome.rows_audited) == (written, skips, 1)
