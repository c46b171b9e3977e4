"""The stages the team has taken in."""
