"""The command line: one file a command. Each command parses its options, calls one function and prints."""
