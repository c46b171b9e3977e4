"""Reconciles what follows the ledger with it: aliases of models, and the pinned code."""
