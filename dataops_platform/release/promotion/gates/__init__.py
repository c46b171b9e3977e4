"""Gates: questions before a promotion, each a function that returns an answer with evidence."""
