"""Tools for contracts: check rows, compare revisions, find who is hit, write them into dbt's files."""
