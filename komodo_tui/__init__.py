"""Run a fleet of Docker servers from the keyboard, over SSH, with nothing to host."""

__version__ = "0.1.0"
