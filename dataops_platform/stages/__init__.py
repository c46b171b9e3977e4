"""The way of the data, one room for each stage: extract, clean, transform, train, score, publish.

Each room holds a plain step (no Dagster) in `run.py` and its Dagster component in `component.py`. The room `contract`
puts a contract on an asset that a team already has.
"""
