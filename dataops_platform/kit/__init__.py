"""Small things every room needs; no knowledge of data, Dagster or files' meaning."""
