"""Compose projects: found by labels, previewed, deployed through the compose CLI, with revisions to go back to."""
