"""Procedures: named recipes of stages and steps, as people write them, checked. Pure."""
