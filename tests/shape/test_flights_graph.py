"""The graph of the example, as Dagster shows it.

To renew the snapshot after a wanted change, delete it and run this.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

SNAPSHOT = Path(__file__).with_name("flights_graph.json")


@pytest.fixture
def defs(flights: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example's definitions."""
    monkeypatch.syspath_prepend(str(flights / "src"))
    monkeypatch.delenv("DATAOPS_ENV", raising=False)
    import flights.definitions as module

    yield module.defs()
    for name in [n for n in sys.modules if n.partition(".")[0] == "flights"]:
        del sys.modules[name]


def graph(defs: Any) -> dict[str, Any]:
    checks: dict[str, list[str]] = {}
    for key in defs.resolve_asset_graph().asset_check_keys:
        checks.setdefault(key.asset_key.to_user_string(), []).append(key.name)
    return {
        spec.key.to_user_string(): {
            "group": spec.group_name,
            "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            "owners": list(spec.owners),
            "kinds": sorted(spec.kinds),
            "partitions": len(spec.partitions_def.get_partition_keys()) if spec.partitions_def else 0,
            "checks": sorted(checks.get(spec.key.to_user_string(), [])),
            "columns": [c.name for c in spec.metadata["dagster/column_schema"].schema.columns]
            if "dagster/column_schema" in spec.metadata
            else [],
        }
        for spec in sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key)
    }


def test_the_graph_is_the_one_we_know(defs: Any) -> None:
    found = graph(defs)
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        pytest.fail("there was no snapshot; it is written now: look at it and run again")
    assert found == json.loads(SNAPSHOT.read_text())


def test_stages_are_drawn_in_the_order_of_the_data(defs: Any) -> None:
    found = graph(defs)
    groups = {key: node["group"] for key, node in found.items()}
    edges = {
        (groups[dep], node["group"]) for node in found.values() for dep in node["deps"] if groups[dep] != node["group"]
    }
    order = ["extract", "clean", "transform", "train", "score", "publish", "release"]
    assert set(groups.values()) == set(order)
    assert all(order.index(before) < order.index(after) for before, after in edges)
    assert {
        ("extract", "clean"),
        ("clean", "transform"),
        ("transform", "train"),
        ("train", "score"),
        ("score", "publish"),
        ("publish", "release"),
    } <= edges


def test_the_job_of_the_environment_holds_all_on_the_way_to_the_publication(defs: Any) -> None:
    job = defs.resolve_job_def("run_dev")
    keys = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert keys == set(graph(defs)) - {"dev/release"}


def test_dbt_is_told_what_the_contracts_say(defs: Any, flights: Path) -> None:
    from dataops_platform.contract_tools.sync import sync_contract_files
    from dataops_platform.settings.project import load_project

    (file,) = sync_contract_files(load_project(flights), check=True)
    assert (file.differences, file.by_hand, file.contradictions) == ((), {}, ())
    assert file.models == ("daily_performance", "flight_features", "route_punctuality")


def test_every_contract_is_one_for_the_standards_own_library(flights: Path) -> None:
    from open_data_contract_standard.model import OpenDataContractStandard

    contracts = sorted((flights / "contracts").glob("*.odcs.yaml"))
    assert len(contracts) == 9
    for path in contracts:
        assert OpenDataContractStandard.from_file(str(path)).schema_[0].name == path.name.removesuffix(".odcs.yaml")
