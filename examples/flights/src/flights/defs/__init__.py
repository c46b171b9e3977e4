"""One folder a stage."""
