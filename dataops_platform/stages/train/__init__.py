"""The train stage: a table of features becomes a registered model, judged beside its baselines."""
