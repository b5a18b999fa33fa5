"""Installing the agent over SSH."""
