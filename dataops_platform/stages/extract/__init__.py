"""The extract stage: files become raw tables, every value as it was written, with its file and line."""
