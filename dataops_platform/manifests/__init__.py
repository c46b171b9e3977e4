"""Plain records of what was made: manifests, cuts, and the history of an environment."""
