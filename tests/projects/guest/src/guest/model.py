"""A small model."""

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def fit(features: pd.DataFrame, target: pd.Series) -> Pipeline:
    """The older, the likelier to stay."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(features, target)
