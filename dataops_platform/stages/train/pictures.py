"""Pictures of a classifier's probabilities, small enough to be shown inside Dagster's pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def draw(folder: Path, target: np.ndarray, probabilities: dict[str, np.ndarray]) -> dict[str, Path]:
    """Draw the ROC curve and the calibration of each set of probabilities (n) as PNG. Return the files by name."""
    from matplotlib.figure import Figure
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import roc_curve

    drawn = {}
    for name, x_label, y_label in (
        ("roc", "share of negative rows flagged", "share of positive rows found"),
        ("calibration", "predicted probability", "observed rate"),
    ):
        figure = Figure(figsize=(4.2, 3.4), dpi=80, layout="tight")
        axes = figure.add_subplot(xlabel=x_label, ylabel=y_label, title=name.upper() if name == "roc" else name)
        axes.plot([0, 1], [0, 1], color="0.8", linewidth=1)
        for label, probability in probabilities.items():
            if name == "roc":
                x, y, _ = roc_curve(target, probability)
            else:
                y, x = calibration_curve(target, probability, n_bins=10, strategy="quantile")
            axes.plot(x, y, label=label, marker="." if name == "calibration" else "")
        axes.legend(fontsize="small", frameon=False)
        drawn[name] = folder / f"{name}.png"
        figure.savefig(drawn[name])
    return drawn
