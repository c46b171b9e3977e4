"""scikit-learn: models written and read with skops, never pickle, and compared by content."""
