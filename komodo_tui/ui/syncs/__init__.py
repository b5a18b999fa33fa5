"""Syncs on the screen: what differs, and making it equal either way."""
