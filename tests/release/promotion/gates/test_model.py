"""`model_not_worse`: real models in a real registry, on rows made so that the scores can be done by hand."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.release.promotion.gates import model as gate
from dataops_platform.settings.project import load_project
from dataops_platform.technologies.mlflow.registry import register
from dataops_platform.technologies.mlflow.tracking import open_tracking
from dataops_platform.technologies.sklearn.artefact import TRUSTED_TYPES, artefact_digest
from dataops_platform.warehouse import documents
from tests.fixtures import lakes
from tests.fixtures.contract_head import contract_head

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("gates")]  # one registry, and models in it

GATE = "model_not_worse"

# 400 rows, half of them late. `a` says so of each; `b` is wrong about half of group x; `c` about all of group y.
FEATURES = (
    "select i as id, date '2013-01-01' + (i % 20)::integer as day, if(i % 4 < 3, 'x', 'y') as grp, "
    "(i // 4) % 2 as late, 2 * late - 1 as a, if(grp = 'x' and i % 8 in (0, 1, 4, 5) and i % 16 < 8, -a, a) as b, "
    "if(grp = 'y', -a, a) as c from range(400) as t(i)"
)
CONTRACT = (
    contract_head("features")
    + """\
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: grp, logicalType: string}
"""
)


@dataclass(frozen=True)
class Registered:
    """A model in the registry."""

    version: str
    digest: str
    files: Path


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A registry with a model for each of the features, which says what its feature says."""
    import mlflow
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    folder = tmp_path_factory.mktemp("registry")
    yaml = f'mlflow: {{tracking: "sqlite:{folder}/mlflow.sqlite", artifacts: "{folder}/artifacts"}}\n'
    (folder / "dataops.yaml").write_text(f"project: shop\nowner: team:sales\n{yaml}")
    tracking = open_tracking(load_project(folder, "dev"))
    found = {}
    for name in ("a", "b", "c", "changed"):
        column = "b" if name == "changed" else name
        fitted = LogisticRegression(C=3.0 if name == "changed" else 1.0)
        fitted.fit(pd.DataFrame({column: [-1.0, 1.0]}), [0, 1])
        with warnings.catch_warnings(), mlflow.start_run(experiment_id=tracking.experiment_id) as run:
            warnings.simplefilter("ignore")
            logged = mlflow.sklearn.log_model(
                fitted,
                name="late",
                input_example=pd.DataFrame({column: [1.0]}),
                pip_requirements=["scikit-learn"],
                serialization_format="skops",
                skops_trusted_types=list(TRUSTED_TYPES),
                pyfunc_predict_fn="predict_proba",
            )
        files = Path(mlflow.artifacts.download_artifacts(artifact_uri=logged.model_uri))
        digest = artefact_digest(files)
        version = register(tracking.client, "dev.shop.late", logged.model_uri, run.info.run_id, digest, {})
        found[name] = Registered(version, digest, files)
    (changed,) = found["changed"].files.glob("*.skops")
    raw = bytearray(changed.read_bytes())
    raw[len(raw) // 2] ^= 1
    changed.write_bytes(raw)
    return yaml, found


@pytest.fixture
def models(world: Any, registry: Any) -> Any:
    """Makes one of the models the head of dev, trained on the features as they are."""
    world.more, known = registry
    world.file("contracts/features.odcs.yaml", CONTRACT)

    def trained(name: str) -> None:
        one, column = known[name], "b" if name == "changed" else name
        table = world.lake.heads("dev").get("features") or world.write(FEATURES, table="features")
        details = {
            "table": "features",
            "target": "late",
            "time_column": "day",
            "judge": ["2013-01-01", "2013-01-21"],
            "features": [column],
            "scores": [{"name": "model", "auc": 0.5, "brier": 0.25, "rows": 400}],
        }
        made = lakes.manifest("late", one.digest, inputs=[table.ref()])
        world.record(replace(made, kind="model", details=details), one.version)

    return trained


def asked(world: Any, models: Any, shown: str, candidate: str, settings: str = "{}", *names: str) -> Any:
    """What the gate says to one model where another is shown."""
    world.gates(f"{{{GATE}: {settings}}}")
    models(shown)
    world.promote(world.plan(world.release()))
    models(candidate)
    return world.answer(world.release(*names), GATE)


def test_where_no_model_was_shown_there_is_nothing_to_be_worse_than(world: Any, models: Any) -> None:
    world.gates(GATE)
    models("c")
    answer = world.answer(world.release(), GATE)
    assert (answer.verdict, answer.message) == ("pass", "no model late was shown before")


def test_the_model_that_is_shown_is_not_loaded_again(world: Any, models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "load_model", lambda *_: pytest.fail("it was loaded"))
    answer = asked(world, models, "a", "a")
    assert (answer.verdict, answer.message.startswith("late is the model shown, ")) == ("pass", True)


def test_a_better_model_passes_with_both_scores(world: Any, models: Any) -> None:
    answer = asked(world, models, "b", "a")
    assert answer.verdict == "pass"
    assert answer.message == "late on all rows: 1.0000, shown 0.7500 (auc; 0 slices, 0 too small to judge)"


def test_a_worse_model_fails(world: Any, models: Any) -> None:
    answer = asked(world, models, "a", "b")
    assert (answer.verdict, answer.message) == ("fail", "worse in auc: late on all rows: 0.7500, shown 1.0000")
    assert answer.evidence["compared"] == [
        {"model": "late", "slice": "all rows", "rows": 400, "before": 1.0, "after": 0.75, "worse": True}
    ]


@pytest.mark.parametrize(("tolerance", "verdict"), [("0.2", "fail"), ("0.26", "pass")])
def test_worse_within_the_tolerance_is_not_worse(world: Any, models: Any, tolerance: str, verdict: str) -> None:
    assert asked(world, models, "a", "b", f"{{tolerance: {tolerance}}}").verdict == verdict


@pytest.mark.parametrize(("shown", "candidate", "verdict"), [("a", "b", "fail"), ("b", "a", "pass")])
def test_of_a_brier_score_the_lower_is_the_better(
    world: Any, models: Any, shown: str, candidate: str, verdict: str
) -> None:
    assert asked(world, models, shown, candidate, "{metric: brier}").verdict == verdict


def test_a_model_that_is_as_good_as_a_whole_may_be_worse_in_a_slice(world: Any, models: Any) -> None:
    assert asked(world, models, "b", "c").verdict == "pass"
    answer = world.answer(_with_slices(world, "{slices: [grp], smallest_slice: 50}"), GATE)
    assert (answer.verdict, answer.message) == ("fail", "worse in auc: late on grp y: 0.0000, shown 1.0000")
    assert [(c["slice"], c["rows"]) for c in answer.evidence["compared"]] == [
        ("grp y", 100),
        ("all rows", 400),
        ("grp x", 300),
    ]


def _with_slices(world: Any, settings: str) -> Any:
    world.gates(f"{{{GATE}: {settings}}}")
    return world.release()


def test_a_slice_that_is_too_small_is_not_judged_and_that_is_said(world: Any, models: Any) -> None:
    answer = asked(world, models, "b", "c", "{slices: [grp], smallest_slice: 101}")
    assert answer.verdict == "pass"
    assert answer.message.endswith("(auc; 1 slices, 1 too small to judge)")


def test_values_of_a_classified_column_are_numbered_not_named(world: Any, models: Any) -> None:
    classified = CONTRACT.replace("grp, logicalType: string", "grp, logicalType: string, classification: restricted")
    world.file("contracts/features.odcs.yaml", classified)
    answer = asked(world, models, "b", "c", "{slices: [grp], smallest_slice: 50}")
    assert answer.message == "worse in auc: late on grp (not shown) 2: 0.0000, shown 1.0000"


def test_files_that_were_changed_are_refused_before_anything_of_them_runs(world: Any, models: Any) -> None:
    answer = asked(world, models, "a", "changed")
    assert (answer.verdict, "late: DP-M021 The model's files" in answer.message) == ("fail", True)


def test_a_slice_by_a_column_that_is_not_there_fails_with_the_nearest(world: Any, models: Any) -> None:
    answer = asked(world, models, "a", "b", "{slices: [grpp]}")
    assert answer.verdict == "fail"
    assert "DP-G010 features of the release has no column 'grpp'" in answer.message
    assert "did you mean 'grp'?" in answer.message


def test_a_table_that_is_not_shown_is_judged_as_the_training_read_it(world: Any, models: Any) -> None:
    world.gates(GATE)
    models("a")
    world.promote(world.plan(world.release("late")))
    models("b")
    release = world.release("late")
    world.write("select 1 as id, date '2013-01-01' as day, 'x' as grp, 0 as late, 1 as a, 1 as b", table="features")
    answer = world.answer(release, GATE)
    assert (answer.verdict, answer.evidence["compared"][0]["rows"]) == ("fail", 400)


def test_rows_of_one_class_cannot_judge(world: Any, models: Any) -> None:
    world.write(FEATURES.replace("(i // 4) % 2 as late", "1 as late"), table="features")
    answer = asked(world, models, "a", "b")
    assert answer.verdict == "fail"
    message = "DP-G011 features has 400 rows from 2013-01-01 to 2013-01-21 with 1 distinct values of late"
    assert message in answer.message


def test_the_plan_tells_both_models(world: Any, models: Any) -> None:
    asked(world, models, "a", "b")
    plan = next(iter(reversed(documents.read(world.lake.connection, "plan").values())))
    told = plan["differences"]["models"]
    assert told["message"] == "1 model differs, 0 are the same."
    assert [(m["which"], m["version"], m["auc"]) for m in told["models"]] == [("before", "1", 0.5), ("after", "2", 0.5)]
