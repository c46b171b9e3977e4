"""Contracts: an ODCS file, parsed strictly into plain records, and the checks that follow from it."""
