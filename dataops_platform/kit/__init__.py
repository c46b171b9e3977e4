"""Small parts that every room needs; they know nothing of data, of Dagster or of what files mean."""
