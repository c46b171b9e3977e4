"""Refused rows are looked at and decided about; a released row is counted once, however often a run is repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

pytestmark = pytest.mark.journey

Run = Callable[..., Any]


def counts(project: Path) -> tuple[int, int, int, int]:
    """Rows in, refused, audited, and really there."""
    with lake_of(load_project(project), read_only=True) as lake:
        manifests = list(lake.heads("dev")["orders"].manifests)
        (there,) = lake.connection.execute("select count(*) from lake.dev__build.orders").fetchall()[0]
    return (
        sum(m.rows_in for m in manifests),
        sum(m.rows_refused for m in manifests),
        sum(m.rows_audited for m in manifests),
        there,
    )


def test_a_released_row_is_taken_in_once(published: Path, dataops: Run) -> None:
    rows = dataops("contracts", "quarantine", "show", "orders", "--json").json["rows"]
    assert [(r["file"], r["line"], r["rules"]) for r in rows] == [
        ("data/orders.csv", 4, ["amount:minimum"]),
        ("data/orders.csv", 7, ["amount:required"]),
    ]
    assert counts(published) == (8, 2, 6, 6)
    said = dataops(
        "contracts", "quarantine", "release", "orders", "--rows", "data/orders.csv:4", "--why", "credit note"
    )
    assert said.exit_code == 0, said.text
    assert dataops("run", "--select", "orders").exit_code == 0
    assert counts(published) == (8, 1, 7, 7)
    assert dataops("run", "--select", "extract,clean", "--force").exit_code == 0
    assert counts(published) == (8, 1, 7, 7)
    with lake_of(load_project(published), read_only=True) as lake:
        verdicts = {v.rule: v for m in lake.heads("dev")["orders"].manifests for v in m.verdicts if v.failing_rows}
    assert (verdicts["released"].severity, verdicts["released"].failing_rows) == ("warning", 1)
    assert "credit note" in (published / "contracts" / "orders.quarantine.yaml").read_text()


@pytest.mark.journey
def test_a_row_that_changed_is_another_row(published: Path, dataops: Run) -> None:
    assert (
        dataops("contracts", "quarantine", "release", "orders", "--rule", "amount:minimum", "--why", "ok").exit_code
        == 0
    )
    path = published / "data" / "orders.csv"
    path.write_text(path.read_text().replace("-4.00", "-400.00"))
    assert dataops("run", "--select", "extract,clean").exit_code == 0
    assert counts(published) == (8, 2, 6, 6)


def test_what_no_release_can_mend_and_what_is_not_there_is_refused(published: Path, dataops: Run) -> None:
    for arguments, exit_code, words in (
        (("release", "orders", "--rule", "amount:required"), 1, "DP-C023"),
        (("release", "orders", "--rule", "amount:minimun"), 2, "only 'amount:minimun'; did you mean 'amount:minimum'?"),
        (("release", "orders", "--rows", "data/orders.csv:5"), 2, "DP-C084"),
        (("release", "orders"), 2, "DP-C082"),
        (("release", "ordrs", "--rule", "x"), 2, "DP-C022 dev has no quarantine for 'ordrs'; did you mean 'orders'?"),
    ):
        said = dataops("contracts", "quarantine", *arguments, "--why", "because")
        assert (said.exit_code, words in said.text) == (exit_code, True), said.text
    assert not (published / "contracts" / "orders.quarantine.yaml").exists()
    (published / "contracts" / "orders.quarantine.yaml").write_text("rows:\n  - {row: x, decison: drop}\n")
    said = dataops("contracts", "quarantine", "show", "orders")
    assert (said.exit_code, "DP-Y015" in said.text, "did you mean 'decision'" in said.text) == (2, True, True)


def test_a_dropped_row_stays_refused_and_is_shown_no_more(published: Path, dataops: Run) -> None:
    assert (
        dataops("contracts", "quarantine", "drop", "orders", "--rule", "amount:required", "--why", "test").exit_code
        == 0
    )
    said = dataops("contracts", "quarantine", "show", "orders")
    assert "1 rows refused, 1 dropped" in said.text
    assert dataops("run", "--select", "orders").out.count("unchanged") == 1
    assert counts(published) == (8, 2, 6, 6)
