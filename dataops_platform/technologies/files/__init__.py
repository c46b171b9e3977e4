"""Files: CSV (plain, gzip, in a zip archive) and Parquet."""
