"""The Servers page and what belongs to it."""
