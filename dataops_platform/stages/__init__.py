"""The way of the data, one room a stage: extract, clean, transform, train, score, publish.

Each room holds a plain step (no Dagster) in `run.py` and its Dagster component in `component.py`.
"""
