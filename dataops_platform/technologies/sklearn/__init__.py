"""scikit-learn: models are written and read with skops, never with pickle, and compared by content."""
