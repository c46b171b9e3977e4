"""The model of late arrivals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

WORDS = ["carrier", "origin", "dest"]


def fit(features: pd.DataFrame, target: pd.Series) -> Pipeline:
    """Gradient boosted trees on the features (rows x columns, nulls allowed) for a target of zeros and ones."""
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    model = make_pipeline(
        make_column_transformer((encode, WORDS), remainder="passthrough", verbose_feature_names_out=False),
        HistGradientBoostingClassifier(
            categorical_features=list(range(len(WORDS))),
            learning_rate=0.06,
            max_iter=150,
            max_leaf_nodes=15,
            min_samples_leaf=100,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=0,
        ),
    )
    return model.fit(features, target)
