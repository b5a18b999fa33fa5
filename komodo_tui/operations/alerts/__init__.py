"""Alerts: evaluated by one process, acknowledged and muted by any."""
