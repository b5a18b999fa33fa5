"""The Stacks page: definitions and what is deployed of them, plans, deploys, revisions, the editor."""
