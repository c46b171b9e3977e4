"""Small parts that every package needs; they know nothing of data, of Dagster or of what files mean."""
