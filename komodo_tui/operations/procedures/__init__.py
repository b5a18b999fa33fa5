"""Running procedures: stages, steps, targets, and the journal of it all."""
