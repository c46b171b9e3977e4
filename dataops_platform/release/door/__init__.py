"""MLflow's pages as a door: versions registered there are validated, and what is asked for there is answered."""
