"""Scores of a classifier's probabilities, beside baselines that need no model.

Source: AUC and Brier score as scikit-learn defines them, https://scikit-learn.org/stable/modules/model_evaluation.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Score:
    """The score of a set of probabilities: area under the ROC curve (0.5 is chance) and Brier score (0 is perfect)."""

    name: str
    auc: float
    brier: float
    rows: int


def score_of(name: str, target: np.ndarray, probability: np.ndarray) -> Score:
    """Return the score of probabilities (n) for a target (n) of zeros and ones."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    return Score(
        name, float(roc_auc_score(target, probability)), float(brier_score_loss(target, probability)), len(target)
    )


def rates(train: pd.DataFrame, target: pd.Series, judged: pd.DataFrame, by: Sequence[str]) -> np.ndarray:
    """Return for each judged row the target's rate in `train` at its values of `by`, the overall rate if unseen."""
    import numpy as np

    overall = float(target.mean())
    if not by:
        return np.full(len(judged), overall)
    keys = list(by)
    known = train[keys].assign(_rate=target.to_numpy()).groupby(keys, observed=True)["_rate"].mean()
    found = judged[keys].merge(known.reset_index(), on=keys, how="left")["_rate"]
    return found.fillna(overall).to_numpy()
