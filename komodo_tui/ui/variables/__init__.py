"""The parts of the Variables & secrets page."""
