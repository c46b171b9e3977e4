"""What the platform needs of Dagster to run a project: definitions, the instance, runs and servers."""
