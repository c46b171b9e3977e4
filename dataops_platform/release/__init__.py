"""Releases: code, data, models and contracts move together, through gates, and come back together."""
