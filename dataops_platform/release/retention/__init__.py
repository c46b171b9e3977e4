"""Which states are retained, and what can be deleted."""
