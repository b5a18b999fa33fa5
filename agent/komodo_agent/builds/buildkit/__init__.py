"""BuildKit of the engine itself, through the engine's API: no docker command is needed."""
