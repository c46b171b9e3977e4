"""A model and a table of features become a table of predictions."""
