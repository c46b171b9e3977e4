"""Compares a reproduced model with the original."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataops_platform.kit.digests import digest_of_file, short
from dataops_platform.kit.errors import Refused
from dataops_platform.manifests.manifest import Head
from dataops_platform.release.reproduce.result import Comparison
from dataops_platform.settings.project import Project
from dataops_platform.stages.feature_rows import feature_rows
from dataops_platform.stages.partitions import PartitionWindow
from dataops_platform.technologies.mlflow.registry import version_files
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.sklearn.artefact import VOLATILE, artefact_digest, load_model
from dataops_platform.warehouse.lake import Lake


def compare_model(
    project: Project, lake: Lake, was: Head, now: Head | None, tables: Mapping[str, Head], tolerance: float
) -> Comparison:
    """Return how closely the retrained model `now` matches the model `was`.

    Models with different digests are compared by their predictions for the rows of the judge window. `tables` are the
    heads of the scratch environment. `tolerance` is the largest accepted difference between probabilities.
    """
    if now is None:
        return Comparison(was.name, "model", "different", "it was not trained")
    client = open_tracking(project).client
    files = (
        version_files(client, model_name(project, was.name, was.area), was.version),
        version_files(client, model_name(project, now.name, now.area), now.version),
    )
    if artefact_digest(files[0]) != was.digest:
        return Comparison(was.name, "model", "different", "its files are not those that were registered")
    if was.digest == now.digest:
        if _file_digests(files[0]) == _file_digests(files[1]):
            return Comparison(was.name, "model", "bytes")
        return Comparison(was.name, "model", "content", "the same model; its file names parts by places in memory")
    far = _distance(lake, was, now, files, tables)
    if far is None:
        return Comparison(was.name, "model", "different", "other features, or none of the rows that it was judged on")
    if far == 0:
        return Comparison(was.name, "model", "predictions", f"another model ({short(now.digest)}) that says the same")
    level = "tolerance" if far <= tolerance else "different"
    return Comparison(was.name, "model", level, f"its probabilities differ by up to {far:.1e}")  # type: ignore[arg-type]


def _file_digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file by its path, except files in which MLflow writes times and random ids."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in VOLATILE]
    return {path.relative_to(folder).as_posix(): digest_of_file(path) for path in files}


def _distance(lake: Lake, was: Head, now: Head, files: tuple[Path, Path], tables: Mapping[str, Head]) -> float | None:
    """Return the largest difference of two models' probabilities over the rows of the judge window.

    None when the models have different features, the rows are gone, or a model cannot be loaded.
    """
    details = now.manifests[0].details
    features = details["features"]
    table = tables.get(details["table"])
    if table is None or was.manifests[0].details["features"] != features:
        return None
    window = PartitionWindow(*(dt.date.fromisoformat(day) for day in details["judge"]))
    time = details["time_column"]
    rows = feature_rows(lake, table.area, table, features, [], time, window, [time])
    if not len(rows):
        return None
    try:
        models: list[Any] = [load_model(f, head.digest) for f, head in zip(files, (was, now), strict=True)]
    except Refused:
        return None
    first, second = (model.predict_proba(rows[features])[:, 1] for model in models)
    return float(abs(first - second).max())
