"""Makes what follows the ledger equal to it: aliases of models, and the code that runs."""
