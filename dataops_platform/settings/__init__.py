"""Decisions of the user: `dataops.yaml`, and the environment variables of the platform."""
