"""Launching Dagster runs and watching them; the platform never schedules anything itself."""
