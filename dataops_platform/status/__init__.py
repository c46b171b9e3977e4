"""What stands where: the board, what environments wait for, a summary, and the doctor's examination."""
