"""The score stage: a model and a table of features become a table of predictions."""
