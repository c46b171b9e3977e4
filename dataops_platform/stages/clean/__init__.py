"""Raw rows become typed rows that hold a contract; the others go to quarantine."""
