"""The Repos page: git repositories and their clones on the servers."""
