"""Promotion of a release to an environment: plan, differences, gates, approvals, preflight and the switch."""
