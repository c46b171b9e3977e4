"""Contracts: an ODCS file read strictly into plain records, and the checks that follow from it."""
