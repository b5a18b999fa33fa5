"""The log view: what it keeps, finds and draws."""
