"""Model signatures of MLflow, from the contract of the features."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.errors import Refused, UsedWrongly, preview

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

_TYPES = {"number": "double", "integer": "double", "boolean": "boolean", "string": "string"}
"""MLflow's type for each logical type. Whole numbers are doubles, because only those can represent a missing value."""


def signature_of(columns: Sequence[tuple[str, str, bool]]) -> ModelSignature:
    """Return the signature of a binary classifier on features given as (name, logical type, required), in order.

    Dates and times are `datetime`. The output is a probability for each class.
    """
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    inputs = [ColSpec(_TYPES.get(kind, "datetime"), name, required) for name, kind, required in columns]
    return ModelSignature(Schema(inputs), Schema([TensorSpec(np.dtype("float64"), (-1, 2))]))


def refuse_other_columns(model: Any, features: Sequence[str], function: str) -> None:
    """Refuse a model that was fitted on columns other than the features. Raises: UsedWrongly DP-T008, DP-T010."""
    fitted = [str(name) for name in getattr(model, "feature_names_in_", features)]
    if fitted != list(features):
        other = [name for name in fitted if name not in features] or [name for name in features if name not in fitted]
        if not other:
            raise UsedWrongly("DP-T010", function=function)
        raise UsedWrongly("DP-T008", function=function, columns=preview(other))


def refuse_other_output(probabilities: Any, function: str) -> None:
    """Refuse a model that does not return a probability for each of two classes. Raises: UsedWrongly DP-T009."""
    shape: tuple[int, ...] = getattr(probabilities, "shape", ())
    if len(shape) != 2 or shape[1] != 2:
        raise UsedWrongly("DP-T009", function=function, shape=shape)


def refuse_other_signature(folder: Path, columns: Sequence[tuple[str, str, bool]]) -> None:
    """Refuse model files whose signature differs from that of a model on these columns. Executes nothing.

    Raises: Refused DP-M019.
    """
    import yaml

    described = yaml.safe_load((folder / "MLmodel").read_text()).get("signature") or {}
    wanted = signature_of(columns).to_dict()
    recorded = {key: json.loads(described.get(key) or "null") for key in ("inputs", "outputs")}
    other = [key for key in recorded if recorded[key] != json.loads(wanted[key])]
    if other:
        raise Refused(
            "DP-M019",
            parts=" and ".join(other),
            wanted=wanted[other[0]],
            found=described.get(other[0]),
        )
