"""Requests made in the model registry: validation, promotion, and releases in which only a model is new."""
