"""Pinned code: where the code of a release is, and which interpreter runs it."""
