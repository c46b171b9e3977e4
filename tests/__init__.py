"""The tests of the platform: a folder a room, and what several of them use in `fixtures`."""
