"""Two 64-bit hashes for each row of an Arrow batch, as `docs/concepts/row-digest.md` specifies and freezes them."""
