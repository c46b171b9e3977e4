"""The cost of a contract beside its peers and beside a bare scan: `python -m benchmarks.contracts`."""
