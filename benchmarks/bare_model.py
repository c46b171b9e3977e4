"""Training and scoring as a data scientist writes them: scikit-learn, judged beside baselines, logged in MLflow.

Scores, baselines and pictures are drawn by the platform's own plain functions: they are computation, not overhead.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.stages.train.judge import rates, score_of
from dataops_platform.stages.train.pictures import draw

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

MODEL = "dev.flights.delay"
TARGET = "arrived_late"
WORDS = ("carrier", "origin", "dest")
WHOLE = ("scheduled_minute", "flights_same_hour")
WEATHER = (
    *("humidity", "dew_point", "wind_speed", "precipitation", "pressure", "visibility"),
    "pressure_change_3h",
)
FEATURES = [*WORDS, *WHOLE, *WEATHER]
KEY = ["flight_date", "carrier", "flight", "origin"]
BASELINE = ["carrier", "scheduled_hour"]
REQUIREMENTS = ("scikit-learn", "skops", "numpy", "pandas", "scipy")
TRUSTED = [
    "functools.partial",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]


def read_features(
    connection: duckdb.DuckDBPyConnection, table: str, start: str, end: str, others: list[str]
) -> pd.DataFrame:
    """The rows from `start` (inside) to `end` (outside), in the order of the key."""
    columns = [c for c in others if c not in FEATURES]
    columns += [f"{c}::double as {c}" if c in WHOLE else c for c in FEATURES]
    return connection.execute(
        f"select {', '.join(columns)} from {table} where flight_date >= $1 and flight_date < $2 "
        f"order by {', '.join(KEY)}",
        [start, end],
    ).df()


def train(connection: duckdb.DuckDBPyConnection, table: str, root: Path) -> tuple[str, int]:
    """Fits on January to May, judges on June, registers; gives the version and the number of rows fitted."""
    from flights.delay import fit

    others = [TARGET, *BASELINE]
    rows = read_features(connection, table, "2013-01-01", "2013-06-01", others).dropna(subset=TARGET)
    judged = read_features(connection, table, "2013-06-01", "2013-07-01", others).dropna(subset=TARGET)
    target, truth = rows[TARGET].astype(int), judged[TARGET].astype(int).to_numpy()
    model = fit(rows[FEATURES], target)
    probabilities = {
        "model": model.predict_proba(judged[FEATURES])[:, 1],
        "constant": rates(rows, target, judged, []),
        "carrier x scheduled_hour": rates(rows, target, judged, BASELINE),
    }
    metrics: dict[str, float] = {}
    for name, probability in probabilities.items():
        score, label = score_of(name, truth, probability), name.replace(" ", "_")
        metrics |= {f"{label}.auc": score.auc, f"{label}.brier": score.brier}
    pictures = root / ".bare" / "pictures"
    pictures.mkdir(exist_ok=True)
    return _register(model, rows, metrics, draw(pictures, truth, probabilities), root), len(rows)


def predict(connection: duckdb.DuckDBPyConnection, table: str, model_version: str, root: Path) -> pd.DataFrame:
    """The predictions for July."""
    import mlflow

    open_mlflow(root)
    rows = read_features(connection, table, "2013-07-01", "2013-08-01", KEY)
    model: Any = mlflow.sklearn.load_model(f"models:/{MODEL}/{model_version}")
    predictions = rows[KEY].copy()
    predictions["probability"] = model.predict_proba(rows[FEATURES])[:, 1]
    predictions["predicted"] = predictions["probability"] >= 0.5
    predictions["model_digest"] = f"{MODEL}/{model_version}"
    return predictions


def open_mlflow(root: Path) -> str:
    """Opens the project's MLflow; gives the experiment."""
    import logging

    import mlflow

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    mlflow.set_tracking_uri(f"sqlite:///{root / '.bare' / 'mlflow.sqlite'}")
    found = mlflow.get_experiment_by_name("flights")
    if found:
        return str(found.experiment_id)
    return str(mlflow.create_experiment("flights", artifact_location=(root / ".bare" / "mlflow").as_uri()))


def _register(model: Any, rows: pd.DataFrame, metrics: dict[str, float], pictures: dict[str, Path], root: Path) -> str:
    import mlflow
    from mlflow.models import infer_signature

    example = rows[FEATURES].head(5)
    with mlflow.start_run(experiment_id=open_mlflow(root), run_name="delay"):
        settings = {key: str(value)[:250] for key, value in model.steps[-1][1].get_params(deep=False).items()}
        mlflow.log_params({"features": json.dumps(FEATURES), **settings})
        mlflow.log_metrics(metrics)
        mlflow.log_input(mlflow.data.from_pandas(rows, name="flight_features", targets=TARGET), context="training")
        for path in pictures.values():
            mlflow.log_artifact(str(path), "pictures")
        logged = mlflow.sklearn.log_model(
            model,
            name="delay",
            signature=infer_signature(example, model.predict_proba(example)),
            input_example=example,
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            serialization_format="skops",
            skops_trusted_types=TRUSTED,
            pyfunc_predict_fn="predict_proba",
            registered_model_name=MODEL,
        )
    return str(logged.registered_model_version)
