"""What the train stage refuses before it trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.settings.project import load_project
from dataops_platform.stages.partitions import PartitionWindow
from dataops_platform.stages.train.run import TrainStep


def step(flights: Path, features: tuple[str, ...]) -> TrainStep:
    import datetime as dt

    june = PartitionWindow(dt.date(2013, 6, 1), dt.date(2013, 7, 1))
    return TrainStep(
        project=load_project(flights, "dev"),
        name="delay",
        table="flight_features",
        contract=load_contract(flights / "contracts" / "flight_features.odcs.yaml"),
        function="flights.delay:fit",
        target="arrived_late",
        features=features,
        known_by="departure",
        time_column="flight_date",
        train=june,
        judge=june,
    )


def test_a_feature_known_at_departure_is_taken(flights: Path) -> None:
    assert step(flights, ("carrier", "humidity")).features == ("carrier", "humidity")


def test_a_feature_known_only_later_is_refused(flights: Path) -> None:
    with pytest.raises(UsedWrongly) as refused:
        step(flights, ("carrier", "arrived_late"))
    assert refused.value.code == "DP-T001"
    assert "not known at departure, when the prediction is made: arrived_late (arrival)" in str(refused.value)


def test_a_feature_the_table_lacks_is_refused_with_the_nearest(flights: Path) -> None:
    with pytest.raises(UsedWrongly) as refused:
        step(flights, ("carier",))
    assert refused.value.code == "DP-T002"
    assert "did you mean 'carrier'?" in str(refused.value)
