"""Verifies the ledger against its hash chain, its witnesses and the stored documents; computes delivery metrics."""
