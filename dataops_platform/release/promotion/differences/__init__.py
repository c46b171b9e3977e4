"""What a promotion would change, as sections of a plan: code, SQL, settings, contracts, rows, models and age."""
