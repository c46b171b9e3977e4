"""A folder per outside system. Each reads or writes that system and knows nothing of stages."""
