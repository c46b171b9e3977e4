"""MLflow: where runs and models are kept and looked at. It never decides which model is shown."""
