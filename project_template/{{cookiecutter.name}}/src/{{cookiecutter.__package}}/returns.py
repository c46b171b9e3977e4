"""The model of returns."""

from __future__ import annotations

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

WORDS = ["product", "country"]


def fit(features: pd.DataFrame, target: pd.Series) -> Pipeline:
    """A logistic regression on the features (rows x columns) for a target of zeros and ones."""
    encode = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(
        make_column_transformer((encode, WORDS), remainder=StandardScaler()), LogisticRegression(max_iter=1000)
    ).fit(features, target)
