"""Environments that start from what another one shows."""
