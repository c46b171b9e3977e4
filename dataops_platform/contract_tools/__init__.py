"""Tools for contracts: check rows, compare revisions, find who is affected, write dbt's files."""
