"""What the user decided: `dataops.yaml` and environment variables. No other room reads either."""
