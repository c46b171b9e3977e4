"""The version of this package; part of every step's code digest."""

VERSION = "0.1.0"
