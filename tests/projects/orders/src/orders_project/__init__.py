"""A small shop, for tests."""
