"""Checks the ledger against its chain, its witnesses and what is kept; measures delivery."""
