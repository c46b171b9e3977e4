"""Two 64-bit hashes for each row of an Arrow batch. Their specification, which is frozen: `docs/concepts/row-digest.md`."""
