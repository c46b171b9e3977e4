"""The tests of the platform: a folder for each package, and what several of them use in `fixtures`."""
