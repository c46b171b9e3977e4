"""What a promotion would change, as plain sections of a plan: code, SQL, settings, contracts, rows, models, age."""
