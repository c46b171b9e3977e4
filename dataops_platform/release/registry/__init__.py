"""Requests in the model registry: validation, promotion, and releases that replace only a model."""
