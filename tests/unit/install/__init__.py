"""The parts of installing the agent."""
