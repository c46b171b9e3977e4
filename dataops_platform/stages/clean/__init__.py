"""The clean stage: raw rows become typed rows that hold a contract, the others go to quarantine."""
