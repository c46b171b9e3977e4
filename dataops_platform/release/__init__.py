"""Releases: building, promotion, pinned code, the model registry, retention, reproduction and audit."""
