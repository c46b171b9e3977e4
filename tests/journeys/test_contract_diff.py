"""A branch of the flights example drops a column: all who are hit are named before it lands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.terminal import clone_of_the_repository

pytestmark = pytest.mark.journey

DataopsIn = Callable[[Path], Callable[..., Any]]

WAIVER = (
    'waivers:\n  - {contract: weather, version: 2.0.0, by: "team:weather", why: Sensor gone., until: "2999-01-01"}\n'
)


def test_a_dropped_column_names_all_it_hits_and_a_bump_with_a_waiver_passes(
    tmp_path: Path, dataops_in: DataopsIn
) -> None:
    flights = clone_of_the_repository(tmp_path / "clone") / "examples" / "flights"
    dataops = dataops_in(flights)
    assert dataops("contracts", "diff", "HEAD").out.strip() == "nothing changed"
    exposures = flights / "dbt" / "models" / "exposures.yml"
    exposures.write_text(exposures.read_text() + "      - ref('flight_features')\n")  # the mart that reads the weather
    path = flights / "contracts" / "weather.odcs.yaml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "name: humidity" not in line))
    assert len(path.read_text().splitlines()) == len(lines) - 1

    hit = dataops("contracts", "diff", "HEAD", "--json")
    assert hit.exit_code == 1, hit.err
    (weather,) = hit.json["contracts"]
    assert weather["changes"] == [{"level": "breaking", "what": "humidity is gone", "column": "humidity"}]
    assert {(h["name"], h["kind"]) for h in weather["hits"]} == {
        ("flight_features", "transform"),
        ("delay", "train"),
        ("delay_predictions", "score"),
        ("punctuality_dashboard", "dashboard"),
    }
    markdown = dataops("contracts", "diff", "HEAD", "--markdown")
    assert "| delay | train | flight_features |" in markdown.out

    path.write_text(path.read_text().replace("version: 1.0.0", "version: 2.0.0"))
    (flights / "contracts" / "waivers.yaml").write_text(WAIVER)
    passed = dataops("contracts", "diff", "HEAD")
    assert (passed.exit_code, "Waived by team:weather" in passed.out) == (0, True)


def test_a_column_that_nobody_reads_hits_nobody(tmp_path: Path, dataops_in: DataopsIn) -> None:
    flights = clone_of_the_repository(tmp_path / "clone") / "examples" / "flights"
    dataops = dataops_in(flights)
    path = flights / "contracts" / "airports.odcs.yaml"
    text = path.read_text()
    assert "name: tzone" in text
    path.write_text("".join(line for line in text.splitlines(keepends=True) if "name: tzone" not in line))
    said = dataops("contracts", "diff", "HEAD", "--json")
    assert (said.exit_code, said.json["contracts"][0]["hits"]) == (1, [])


def test_a_breaking_change_of_a_mart_names_the_dashboard_and_leaves_dbt_behind_until_it_is_synced(
    tmp_path: Path, dataops_in: DataopsIn
) -> None:
    flights = clone_of_the_repository(tmp_path / "clone") / "examples" / "flights"
    dataops = dataops_in(flights)
    assert dataops("contracts", "sync", "--check").exit_code == 0
    path = flights / "contracts" / "route_punctuality.odcs.yaml"
    text = path.read_text()
    assert "name: punctual_share" in text
    path.write_text("".join(line for line in text.splitlines(keepends=True) if "name: punctual_share" not in line))
    hit = dataops("contracts", "diff", "HEAD", "--json")
    assert hit.exit_code == 1, hit.err
    assert [(h["name"], h["kind"], h["through"], h["owners"]) for h in hit.json["contracts"][0]["hits"]] == [
        ("punctuality_dashboard", "dashboard", "route_punctuality", ["team:operations"])
    ]
    lint = dataops("contracts", "lint", "--json")
    assert (lint.exit_code, [(d["model"], d["what"]) for d in lint.json["drift"]]) == (
        1,
        [("route_punctuality", "has column punctual_share, which the contract does not know")],
    )
    assert dataops("contracts", "sync").exit_code == 0
    assert dataops("contracts", "lint").exit_code == 0
