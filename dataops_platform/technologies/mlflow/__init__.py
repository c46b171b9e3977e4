"""MLflow: keeps runs and models and shows them. The ledger, not MLflow, decides which model an environment shows."""
