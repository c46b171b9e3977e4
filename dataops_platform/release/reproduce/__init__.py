"""Reproduces a release or a run from its original inputs, and reports whether each table and model matches."""
