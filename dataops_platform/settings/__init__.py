"""Decisions of the user: `dataops.yaml` and environment variables. No other room reads either."""
