"""Makes a release or a run again from the inputs that it had, and says how equal it came out."""
