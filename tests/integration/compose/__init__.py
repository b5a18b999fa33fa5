"""Stacks against real engines and the real compose."""
