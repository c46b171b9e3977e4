"""The model of returns."""

from __future__ import annotations

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

CATEGORICAL = ["product", "country"]


def fit(features: pd.DataFrame, target: pd.Series) -> Pipeline:
    """Return a logistic regression fitted on the features (rows x columns) and a target of zeros and ones."""
    encode = OneHotEncoder(handle_unknown="ignore")  # a country may first appear after the training
    return make_pipeline(
        make_column_transformer((encode, CATEGORICAL), remainder=StandardScaler()), LogisticRegression(max_iter=1000)
    ).fit(features, target)
