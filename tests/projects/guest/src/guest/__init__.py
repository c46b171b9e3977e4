"""A team that has assets of its own and takes in the stages one by one, for tests."""
