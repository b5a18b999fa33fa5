"""The agent that runs on each server: Docker engine, metrics, logs and shells behind a Unix socket."""

__version__ = "0.1.0"
