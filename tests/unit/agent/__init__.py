"""The agent's pure parts."""
