"""Where the code of a release lies and which interpreter runs it."""
