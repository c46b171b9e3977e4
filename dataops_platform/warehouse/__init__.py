"""Where tables live: staged and audited in a build area, shown to consumers by one switch."""
