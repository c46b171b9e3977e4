"""Verifies ledgers: is each event what was written, behind the one it was written behind, and still there?"""
