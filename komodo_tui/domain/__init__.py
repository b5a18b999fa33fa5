"""Definitions, plans, errors, texts: pure, no I/O."""
