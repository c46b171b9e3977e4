"""Dagster for a project: definitions, the instance, runs, resources and servers."""
