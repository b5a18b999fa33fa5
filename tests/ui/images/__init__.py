"""The pages on where images go."""
