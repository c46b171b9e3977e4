"""How long the switch takes: promotions by table size, and going back on the flights example."""
