"""Terminals whose programs outlive those who look at them."""
