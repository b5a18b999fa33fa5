"""The agent as a process, against a private engine."""
