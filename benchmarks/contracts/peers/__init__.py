"""The same 25 rules, each peer in its own words; each module runs in the environment of its peer alone."""
