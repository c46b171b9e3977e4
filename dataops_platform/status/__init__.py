"""The status of a project: the board, what environments wait for, a summary, and the doctor."""
