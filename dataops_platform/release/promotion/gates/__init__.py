"""Gates: questions before a promotion, each a small function that answers with evidence."""
