"""The lake: DuckLake on DuckDB, its catalog in SQLite (a laptop) or PostgreSQL (a team), its rows in Parquet."""
