"""Hashes of rows: two 64-bit words for each row of an Arrow batch, as frozen in `docs/concepts/row-digest.md`."""
