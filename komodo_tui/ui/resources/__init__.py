"""The parts of the Resources page."""
