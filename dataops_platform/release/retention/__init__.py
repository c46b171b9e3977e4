"""Which states are kept, and what can be deleted."""
