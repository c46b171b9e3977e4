"""The shop: what is sold, and what comes back."""
