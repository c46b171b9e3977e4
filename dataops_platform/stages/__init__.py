"""The stages in the order in which data goes through them: extract, clean, transform, train, score, publish.

Each has a package: `run.py` is a plain step, without Dagster, and `component.py` its Dagster component. The package
`contract` puts a contract on an asset that a team already has.
"""
