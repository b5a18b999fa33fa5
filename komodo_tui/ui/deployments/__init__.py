"""The Deployments page: every compose project on every server, and its services."""
