"""A contract on an asset that a team already has."""
