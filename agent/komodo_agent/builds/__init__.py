"""Builds of images: the docker command run on a repository's files, a folder or a Dockerfile that was written here."""
