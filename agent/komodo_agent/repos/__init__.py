"""Clones of git repositories: kept in the agent's folder, driven through one hardened module."""
