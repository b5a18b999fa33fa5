"""The Stacks and the Deployments page."""
